//! Rules to programs (apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go).

use cel::Program;
use cel::schema::Declaration;
use cel::types::Type;
use json::Value;

use crate::custom::field_path;

/// What messages call the objects that a rule is about. Upstream's name ends with a time, so that nobody relies on it.
pub const SELF_TYPE: &str = "selfType0";

/// A rule as it is written.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pub rule: String,
    pub message: String,
    pub message_expression: String,
    pub reason: Option<String>,
    pub field_path: String,
    pub optional_old_self: Option<bool>,
}

/// The fields of a rule in the order in which upstream's type has them.
pub const FIELDS: &[&str] = &["Rule", "Message", "MessageExpression", "Reason", "FieldPath", "OptionalOldSelf"];

impl Text {
    pub fn read(rule: &Value) -> Text {
        let text = |field: &str| rule[field].as_str().unwrap_or("").to_owned();
        Text {
            rule: text("rule"),
            message: text("message"),
            message_expression: text("messageExpression"),
            reason: rule["reason"].as_str().map(str::to_owned),
            field_path: text("fieldPath"),
            optional_old_self: rule["optionalOldSelf"].as_bool(),
        }
    }

    /// As a value at fault: upstream's internal type has no names for JSON.
    pub fn shown(&self) -> Value {
        let values = [
            self.rule.clone().into(),
            self.message.clone().into(),
            self.message_expression.clone().into(),
            self.reason.clone().map_or(Value::Null, Value::from),
            self.field_path.clone().into(),
            self.optional_old_self.map_or(Value::Null, Value::from),
        ];
        FIELDS.iter().map(|name| (*name).to_owned()).zip(values).collect::<json::Map>().into()
    }

    /// How errors call the rule: by its message, or as it is written.
    pub fn name(&self) -> &str {
        if self.message.is_empty() { self.rule.trim() } else { self.message.trim() }
    }

    /// What is said when the rule does not hold and says nothing by itself.
    pub fn complaint(&self) -> String {
        if self.message.is_empty() { format!("failed rule: {}", self.name()) } else { self.name().to_owned() }
    }
}

/// What became of a rule.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    pub text: Text,
    /// `None` if the rule is empty or wrong.
    pub program: Option<Program>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Whether it compares with the object as it was.
    pub uses_old: bool,
    pub message: Option<Program>,
    /// What is wrong with the expression of its message.
    pub message_error: Option<String>,
    /// Where below the object it complains; empty for the object itself.
    pub field_path: String,
}

/// The rules of a schema.
pub fn rules_of(schema: &Value) -> Vec<Text> {
    schema["x-kubernetes-validations"].as_array().into_iter().flatten().map(Text::read).collect()
}

/// Compiles a rule about values that are declared so.
pub fn compile(text: Text, schema: &Value, declared: &Declaration) -> Rule {
    let mut rule = Rule { text, ..Rule::default() };
    let text = &rule.text;
    if text.rule.trim().is_empty() {
        return rule;
    }
    let own = declared.of.clone();
    let old = if text.optional_old_self == Some(true) { Type::optional(own.clone()) } else { own.clone() };
    let variables = [("self".to_owned(), own), ("oldSelf".to_owned(), old)];
    let program = match cel::compile(&text.rule, &variables) {
        Ok(program) => program,
        Err(issues) => {
            rule.error = Some(format!("compilation failed: {issues}"));
            return rule;
        }
    };
    if *program.output() != Type::Bool {
        rule.error = Some("cel expression must evaluate to a bool".to_owned());
        return rule;
    }
    rule.uses_old = program.uses("oldSelf");
    if let Err(why) = program.instantiate() {
        rule.error = Some(format!("program instantiation failed: {why}"));
        return rule;
    }
    rule.program = Some(program);
    if !text.message_expression.is_empty() {
        match cel::compile(&text.message_expression, &variables) {
            Ok(program) if *program.output() == Type::String => rule.message = Some(program),
            Ok(_) => rule.message_error = Some("messageExpression must evaluate to a string".to_owned()),
            Err(issues) => rule.message_error = Some(format!("messageExpression compilation failed: {issues}")),
        }
    }
    if let Ok(path) = field_path::read(&rule.text.field_path, schema) {
        rule.field_path = path;
    }
    rule
}
