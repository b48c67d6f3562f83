//! Writing the parts.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemorySection,
    Module as Encoded, RefType, StartSection, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{Parser, Payload};

use super::module::Module;
use super::plan::{FIRST, Plan};

/// Under which name other parts import everything of the first.
const FIRST_NAME: &str = "f";

/// Functions whose number takes one byte.
const SHORT_NUMBERS: usize = 128;

/// Functions under other numbers.
struct Renumber(BTreeMap<u32, u32>);

impl Reencode for Renumber {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<Infallible>> {
        Ok(*self.0.get(&index).expect("the plan has a place for every function that is used"))
    }
}

/// What the parts have to agree on.
pub(super) struct Seam {
    /// The doors' places in their table: those of a part are side by side.
    slots: BTreeMap<u32, u32>,
    /// What the first part exports for the others, beside what it exported already.
    names: BTreeMap<(u8, u32), String>,
    /// The table of the doors.
    table: u32,
}

/// Kinds in the keys of [`Seam::names`], in the order of a later part's imports.
const KINDS: [ExportKind; 4] = [ExportKind::Func, ExportKind::Table, ExportKind::Memory, ExportKind::Global];

impl Seam {
    pub(super) fn new(module: &Module<'_>, plan: &Plan) -> Self {
        let table = module.tables.len() as u32;
        let taken: BTreeSet<&str> = module.exports.iter().map(|export| export.name).collect();
        let mut free = (0_u32..).map(short_name).filter(|name| !taken.contains(name.as_str()));
        let functions: BTreeSet<u32> = plan.parts.iter().flat_map(|part| part.shared.iter().copied()).collect();
        let functions = functions.into_iter().map(|index| (0, index));
        let tables = (0..=table).map(|index| (1, index));
        let memories = (0..module.memories.len() as u32).map(|index| (2, index));
        let globals = (0..module.globals.len() as u32).map(|index| (3, index));
        let shared = functions.chain(tables).chain(memories).chain(globals);
        let names = shared.map(|key| (key, free.next().expect("there is always another name"))).collect();
        let mut doors: Vec<u32> = plan.doors.iter().copied().collect();
        doors.sort_by_key(|index| (plan.part_of(*index), *index));
        Self { slots: doors.into_iter().zip(0..).collect(), names, table }
    }

    fn door_table(&self) -> TableType {
        let slots = self.slots.len() as u64;
        TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: slots,
            maximum: Some(slots),
            shared: false,
        }
    }
}

/// `a` to `z`, then `aa`.
fn short_name(mut number: u32) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return name;
        }
        number -= 1;
    }
}

/// Functions of the first part in their order. Those that are called most stay in front, where wasm-opt has put them: a
/// number below 128 is a byte shorter.
pub(super) fn in_first(module: &Module<'_>, plan: &Plan) -> Vec<u32> {
    let here = module.defined_indices().filter(|i| plan.part_of(*i) == FIRST || plan.doors.contains(i));
    let mut here: Vec<u32> = here.collect();
    let often = SHORT_NUMBERS.saturating_sub(module.imported as usize).min(here.len());
    sort_by_name(module, &mut here[often..]);
    here
}

/// Copies of a generic function for different types are alike and pack better side by side.
fn sort_by_name(module: &Module<'_>, functions: &mut [u32]) {
    functions.sort_by_key(|index| (&module.names[*index as usize], *index));
}

fn renumber(functions: impl IntoIterator<Item = u32>) -> Renumber {
    Renumber(functions.into_iter().zip(0..).collect())
}

/// The first part: what is kept, in the module's own sections, and a door for each function behind them.
pub(super) fn first(module: &Module<'_>, plan: &Plan, seam: &Seam) -> Result<Vec<u8>> {
    let here = in_first(module, plan);
    let mut map = renumber((0..module.imported).chain(here.iter().copied()));
    let later = (plan.parts.len() - 1) as u32;
    // One more type, for the functions behind ours: they see to it that a part is here.
    let plain = module.types.len() as u32;
    let mut out = Encoded::new();
    let mut types = TypeSection::new();
    let mut globals = GlobalSection::new();
    let (mut tables, mut elements) = (TableSection::new(), ElementSection::new());
    let mut functions = FunctionSection::new();
    for payload in Parser::new(0).parse_all(module.wasm) {
        match payload? {
            Payload::TypeSection(reader) => {
                map.parse_type_section(&mut types, reader)?;
                types.ty().function([], []);
                out.section(&types);
            }
            Payload::ImportSection(reader) => {
                let mut imports = ImportSection::new();
                map.parse_import_section(&mut imports, reader)?;
                out.section(&imports);
            }
            Payload::FunctionSection(_) => {
                for index in &here {
                    functions.function(module.function_types[*index as usize]);
                }
                for _ in 0..later {
                    functions.function(plain);
                }
                out.section(&functions);
            }
            Payload::TableSection(reader) => {
                map.parse_table_section(&mut tables, reader)?;
                tables.table(seam.door_table());
                out.section(&tables);
            }
            Payload::MemorySection(reader) => {
                let mut memories = MemorySection::new();
                map.parse_memory_section(&mut memories, reader)?;
                out.section(&memories);
            }
            Payload::GlobalSection(reader) => {
                map.parse_global_section(&mut globals, reader)?;
                // Whether a part is here.
                let flag = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
                for _ in 0..later {
                    globals.global(flag, &ConstExpr::i32_const(0));
                }
                out.section(&globals);
            }
            Payload::ExportSection(reader) => {
                let mut exports = ExportSection::new();
                map.parse_export_section(&mut exports, reader)?;
                for ((kind, index), name) in &seam.names {
                    let index = if *kind == 0 { map.function_index(*index)? } else { *index };
                    exports.export(name, KINDS[usize::from(*kind)], index);
                }
                out.section(&exports);
            }
            Payload::StartSection { func, .. } => {
                out.section(&StartSection { function_index: map.function_index(func)? });
            }
            Payload::ElementSection(reader) => {
                map.parse_element_section(&mut elements, reader)?;
                out.section(&elements);
            }
            Payload::DataCountSection { count, .. } => {
                out.section(&DataCountSection { count });
            }
            Payload::CodeSectionStart { .. } => {
                out.section(&first_code(module, plan, seam, &mut map, &here)?);
            }
            Payload::DataSection(reader) => {
                let mut data = DataSection::new();
                map.parse_data_section(&mut data, reader)?;
                out.section(&data);
            }
            _ => {}
        }
    }
    Ok(out.finish())
}

fn first_code(module: &Module<'_>, plan: &Plan, seam: &Seam, map: &mut Renumber, here: &[u32]) -> Result<CodeSection> {
    let mut code = CodeSection::new();
    let behind = module.imported + here.len() as u32;
    for index in here {
        match plan.part_of(*index) {
            FIRST => body(module, map, &mut code, *index)?,
            part => {
                code.function(&door(module, *index, seam, behind + part as u32 - 1));
            }
        }
    }
    for part in FIRST + 1..plan.parts.len() {
        code.function(&ensure(module, part as u32));
    }
    Ok(code)
}

/// Sees to it that a part is here.
fn ensure(module: &Module<'_>, part: u32) -> Function {
    let here = module.globals.len() as u32 + part - 1;
    let mut function = Function::new([]);
    function
        .instruction(&Instruction::GlobalGet(here))
        .instruction(&Instruction::I32Eqz)
        .instruction(&Instruction::If(wasm_encoder::BlockType::Empty))
        .instruction(&Instruction::I32Const(part as i32))
        .instruction(&Instruction::Call(module.load))
        .instruction(&Instruction::I32Const(1))
        .instruction(&Instruction::GlobalSet(here))
        .instruction(&Instruction::End)
        .instruction(&Instruction::End);
    function
}

/// Stands for a function of a later part: sees to it that the part is here, and calls it.
fn door(module: &Module<'_>, index: u32, seam: &Seam, ensure: u32) -> Function {
    let mut function = Function::new([]);
    function.instruction(&Instruction::Call(ensure));
    for parameter in 0..module.type_of(index).params().len() as u32 {
        function.instruction(&Instruction::LocalGet(parameter));
    }
    let type_index = module.function_types[index as usize];
    function
        .instruction(&Instruction::I32Const(seam.slots[&index] as i32))
        .instruction(&Instruction::CallIndirect { type_index, table_index: seam.table })
        .instruction(&Instruction::End);
    function
}

fn body(module: &Module<'_>, map: &mut Renumber, code: &mut CodeSection, index: u32) -> Result<()> {
    let function = module.defined(index).context("an import has no body")?;
    map.parse_function_body(code, function.body.clone())?;
    Ok(())
}

/// A later part: its functions, over the first part's memory, tables and globals.
pub(super) fn later(module: &Module<'_>, plan: &Plan, seam: &Seam, number: usize) -> Result<Vec<u8>> {
    let part = &plan.parts[number];
    let mut here: Vec<u32> = part.own.union(&part.copied).copied().collect();
    sort_by_name(module, &mut here);
    let mut map = renumber(part.shared.iter().chain(&here).copied());
    let mut out = Encoded::new();
    let mut types = TypeSection::new();
    for payload in Parser::new(0).parse_all(module.wasm) {
        if let Payload::TypeSection(reader) = payload? {
            map.parse_type_section(&mut types, reader)?;
        }
    }
    out.section(&types);
    let mut imports = ImportSection::new();
    let imported = seam.names.iter().filter(|((kind, index), _)| *kind != 0 || part.shared.contains(index));
    for ((kind, index), name) in imported {
        let at = *index as usize;
        let entity = match kind {
            0 => EntityType::Function(module.function_types[at]),
            1 if *index == seam.table => seam.door_table().into(),
            1 => map.table_type(module.tables[at])?.into(),
            2 => map.memory_type(module.memories[at])?.into(),
            _ => map.global_type(module.globals[at])?.into(),
        };
        imports.import(FIRST_NAME, name, entity);
    }
    out.section(&imports);
    let mut functions = FunctionSection::new();
    for index in &here {
        functions.function(module.function_types[*index as usize]);
    }
    out.section(&functions);
    let mut elements = ElementSection::new();
    let mut doors: Vec<(u32, u32)> =
        seam.slots.iter().map(|(index, slot)| (*slot, *index)).filter(|(_, index)| part.own.contains(index)).collect();
    doors.sort_unstable();
    if let Some((slot, _)) = doors.first() {
        let behind = doors.iter().map(|(_, index)| map.function_index(*index)).collect::<Result<Vec<_>, _>>()?;
        elements.active(Some(seam.table), &ConstExpr::i32_const(*slot as i32), Elements::Functions(behind.into()));
    }
    // A function whose address the code takes has to be in some segment.
    let taken: BTreeSet<u32> = here.iter().filter_map(|i| module.defined(*i)).flat_map(|f| f.taken.clone()).collect();
    if !taken.is_empty() {
        let taken: Vec<u32> = taken.into_iter().map(|index| map.function_index(index)).collect::<Result<_, _>>()?;
        elements.declared(Elements::Functions(taken.into()));
    }
    if !elements.is_empty() {
        out.section(&elements);
    }
    let mut code = CodeSection::new();
    for index in &here {
        body(module, &mut map, &mut code, *index)?;
    }
    out.section(&code);
    Ok(out.finish())
}
