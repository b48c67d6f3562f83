//! What the splitter has to know of a module: functions, who calls whom, and what can be reached from outside.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use wasmparser::{
    ConstExpr, ElementItems, Export, ExternalKind, FuncType, FunctionBody, KnownCustom, Name, Operator, Parser,
    Payload, TypeRef, ValType,
};

/// A function that the module defines.
pub(super) struct Function<'a> {
    pub(super) body: FunctionBody<'a>,
    /// Functions it calls or takes the address of, in order.
    pub(super) uses: Vec<u32>,
    /// Those of them whose address it takes.
    pub(super) taken: Vec<u32>,
    /// It names a data or element segment by number, so it has to stay where the segments are.
    pub(super) pinned: bool,
}

impl Function<'_> {
    /// Bytes of its code.
    pub(super) fn bytes(&self) -> usize {
        self.body.as_bytes().len()
    }
}

/// A module, taken apart as far as needed. Functions are numbered as in the module: imports first.
pub(super) struct Module<'a> {
    pub(super) wasm: &'a [u8],
    pub(super) types: Vec<FuncType>,
    /// The type of every function.
    pub(super) function_types: Vec<u32>,
    pub(super) imported: u32,
    /// The import that brings a part.
    pub(super) load: u32,
    pub(super) functions: Vec<Function<'a>>,
    pub(super) names: Vec<String>,
    pub(super) tables: Vec<wasmparser::TableType>,
    pub(super) memories: Vec<wasmparser::MemoryType>,
    pub(super) globals: Vec<wasmparser::GlobalType>,
    pub(super) exports: Vec<Export<'a>>,
    pub(super) start: Option<u32>,
    /// Functions in tables and in initial values.
    pub(super) addressed: BTreeSet<u32>,
}

impl<'a> Module<'a> {
    /// Reads a module; `load` is a part of the name of the import that brings a part.
    pub(super) fn read(wasm: &'a [u8], load: &str) -> Result<Self> {
        let mut module = Self {
            wasm,
            types: Vec::new(),
            function_types: Vec::new(),
            imported: 0,
            load: u32::MAX,
            functions: Vec::new(),
            names: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            exports: Vec::new(),
            start: None,
            addressed: BTreeSet::new(),
        };
        for payload in Parser::new(0).parse_all(wasm) {
            module.section(payload?, load)?;
        }
        if module.load == u32::MAX {
            bail!("the module imports no function whose name has `{load}` in it");
        }
        if module.tables.is_empty() || module.globals.is_empty() {
            bail!("the module has no table or no global to put ours beside");
        }
        module.names.resize(module.function_types.len(), String::new());
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>, load: &str) -> Result<()> {
        match payload {
            Payload::TypeSection(reader) => {
                for ty in reader.into_iter_err_on_gc_types() {
                    self.types.push(ty?);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import?;
                    self.import(import.name, import.ty, load)?;
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    self.function_types.push(ty?);
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    self.memories.push(memory?);
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    let global = global?;
                    self.globals.push(global.ty);
                    self.initial(&global.init_expr)?;
                }
            }
            Payload::ExportSection(reader) => self.exports = reader.into_iter().collect::<Result<_, _>>()?,
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(reader) => {
                for element in reader {
                    self.items(element?.items)?;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let function = function(body)?;
                self.functions.push(function);
            }
            Payload::CustomSection(reader) => {
                if let KnownCustom::Name(names) = reader.as_known() {
                    self.read_names(names)?;
                }
            }
            Payload::TagSection(_) => bail!("exception tags are not handled"),
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, name: &str, ty: TypeRef, load: &str) -> Result<()> {
        match ty {
            TypeRef::Func(ty) => {
                if name.contains(load) {
                    self.load = self.imported;
                    let plain = self.types.get(ty as usize).context("a type that does not exist")?;
                    if plain.params() != [ValType::I32] || !plain.results().is_empty() {
                        bail!("the import {name} does not take a number and give nothing");
                    }
                }
                self.imported += 1;
                self.function_types.push(ty);
            }
            TypeRef::Table(ty) => self.tables.push(ty),
            TypeRef::Memory(ty) => self.memories.push(ty),
            TypeRef::Global(ty) => self.globals.push(ty),
            TypeRef::Tag(_) | TypeRef::FuncExact(_) => bail!("the kind of the import {name} is not handled"),
        }
        Ok(())
    }

    fn items(&mut self, items: ElementItems<'_>) -> Result<()> {
        match items {
            ElementItems::Functions(functions) => {
                for function in functions {
                    self.addressed.insert(function?);
                }
            }
            ElementItems::Expressions(_, expressions) => {
                for expression in expressions {
                    self.initial(&expression?)?;
                }
            }
        }
        Ok(())
    }

    fn initial(&mut self, expression: &ConstExpr<'_>) -> Result<()> {
        for operator in expression.get_operators_reader() {
            if let Operator::RefFunc { function_index } = operator? {
                self.addressed.insert(function_index);
            }
        }
        Ok(())
    }

    fn read_names(&mut self, names: wasmparser::NameSectionReader<'a>) -> Result<()> {
        for part in names {
            if let Name::Function(functions) = part? {
                for naming in functions {
                    let naming = naming?;
                    let index = naming.index as usize;
                    if self.names.len() <= index {
                        self.names.resize(index + 1, String::new());
                    }
                    self.names[index] = super::names::plain(naming.name);
                }
            }
        }
        Ok(())
    }

    /// A function that the module defines; none for an import.
    pub(super) fn defined(&self, index: u32) -> Option<&Function<'a>> {
        self.functions.get(index.checked_sub(self.imported)? as usize)
    }

    /// The numbers of the functions that the module defines.
    pub(super) fn defined_indices(&self) -> std::ops::Range<u32> {
        self.imported..self.function_types.len() as u32
    }

    /// A function's type.
    pub(super) fn type_of(&self, index: u32) -> &FuncType {
        &self.types[self.function_types[index as usize] as usize]
    }

    /// Functions that are exported.
    pub(super) fn exported(&self) -> impl Iterator<Item = u32> + '_ {
        self.exports.iter().filter(|export| export.kind == ExternalKind::Func).map(|export| export.index)
    }
}

fn function(body: FunctionBody<'_>) -> Result<Function<'_>> {
    let (mut uses, mut taken) = (Vec::new(), Vec::new());
    let mut pinned = false;
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => uses.push(function_index),
            Operator::RefFunc { function_index } => {
                uses.push(function_index);
                taken.push(function_index);
            }
            Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. } => pinned = true,
            _ => {}
        }
    }
    Ok(Function { body, uses, taken, pinned })
}
