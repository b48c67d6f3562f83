//! Functions of one row, as a table: name, how many arguments, what they give.

use crate::bind::{Bound, common, merged};
use crate::error::{Error, Result};
use crate::session::Env;
use crate::time;
use crate::types::{ANY_TEXT, BIGINT, Type};
use crate::value::{Value, compare, order, rescale};

/// How the type of the result follows.
#[derive(Clone, Debug)]
enum Gives {
    Fixed(Type),
    /// As the first argument.
    First,
    /// What all arguments have in common, from this one on.
    Common(usize),
    /// A number with the places that the first has, at most.
    Rounded,
    /// Text as long as all arguments are.
    Joined,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    name: &'static str,
    pub(crate) least: usize,
    pub(crate) most: usize,
    gives: Gives,
    /// Whether it gives NULL though no argument is NULL: yes, no, or only if an argument may be.
    nullable: Nullable,
    pub(crate) run: fn(&[Value], &Env<'_>) -> Result<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nullable {
    Yes,
    No,
    Args,
    /// Only if all arguments may be.
    All,
}

impl Function {
    pub(crate) fn result(&self, args: &[Bound]) -> (Type, bool) {
        let first = args.first().map_or(ANY_TEXT, |b| b.ty.clone());
        let ty = match &self.gives {
            Gives::Fixed(ty) => ty.clone(),
            Gives::First => first,
            Gives::Common(from) => merged(args.iter().skip(*from)),
            Gives::Rounded => match (&first, args.get(1).map(|b| &b.node)) {
                (Type::Decimal(p, s), Some(crate::bind::Node::Const(Value::Int(n)))) => {
                    Type::Decimal(*p, (*s).min(u8::try_from(*n).unwrap_or(0)))
                }
                (Type::Decimal(p, _), _) => Type::Decimal(*p, 0),
                (Type::Int(..) | Type::Bool, _) => BIGINT,
                _ => Type::Double,
            },
            Gives::Joined => args.iter().fold(Type::Varchar(0), |ty, b| match (&ty, &b.ty) {
                (Type::Varchar(a), Type::Varchar(b) | Type::Char(b)) => Type::Varchar(a.saturating_add(*b)),
                (Type::Varchar(a), Type::Int(..)) => Type::Varchar(a + 20),
                (before, other) => common(before, other),
            }),
        };
        let nullable = match self.nullable {
            Nullable::Yes => true,
            Nullable::No => false,
            Nullable::Args => args.iter().any(|b| b.nullable),
            Nullable::All => args.iter().all(|b| b.nullable),
        };
        (ty, nullable)
    }
}

const TEXT: Gives = Gives::Fixed(ANY_TEXT);
const WHOLE: Gives = Gives::Fixed(BIGINT);
const DOUBLE: Gives = Gives::Fixed(Type::Double);
const SHORT: Gives = Gives::Fixed(Type::Varchar(64));
const MOMENT: Gives = Gives::Fixed(Type::DateTime(0));
const MANY: usize = usize::MAX;

type Run = fn(&[Value], &Env<'_>) -> Result<Value>;

const fn row(name: &'static str, least: usize, most: usize, gives: Gives, nullable: Nullable, run: Run) -> Function {
    Function { name, least, most, gives, nullable, run }
}

/// Runs a function of arguments that are not NULL; NULL gives NULL.
macro_rules! strict {
    ($f:expr) => {
        |args, _| if args.iter().any(Value::is_null) { Ok(Value::Null) } else { $f(args) }
    };
}

/// A function of the first argument's date and time.
macro_rules! moment {
    ($f:expr) => {
        |args, _| Ok(args[0].moment().map_or(Value::Null, $f))
    };
}

use Nullable::{All, Args, No, Yes};

/// All of them. Names of one function are rows of their own.
static FUNCTIONS: &[Function] = &[
    row("ABS", 1, 1, Gives::First, Args, strict!(|a: &[Value]| Ok(abs(&a[0])))),
    row("ADDDATE", 2, 2, Gives::Fixed(Type::Date), Yes, add_days),
    row("CEIL", 1, 1, WHOLE, Args, strict!(|a: &[Value]| Ok(Value::Int(a[0].number().ceil() as i64)))),
    row("CEILING", 1, 1, WHOLE, Args, strict!(|a: &[Value]| Ok(Value::Int(a[0].number().ceil() as i64)))),
    row("CHARACTER_LENGTH", 1, 1, WHOLE, Args, strict!(char_length)),
    row("CHAR_LENGTH", 1, 1, WHOLE, Args, strict!(char_length)),
    row("COALESCE", 1, MANY, Gives::Common(0), All, coalesce),
    row(
        "CONCAT",
        1,
        MANY,
        Gives::Joined,
        Args,
        strict!(|a: &[Value]| Ok(Value::text(a.iter().map(Value::to_string).collect::<String>()))),
    ),
    row("CONCAT_WS", 2, MANY, TEXT, Args, concat_ws),
    row("CONNECTION_ID", 0, 0, WHOLE, No, |_, env| Ok(Value::Int(i64::from(env.session.id)))),
    row("CURDATE", 0, 0, Gives::Fixed(Type::Date), No, today),
    row("CURRENT_DATE", 0, 0, Gives::Fixed(Type::Date), No, today),
    row("CURRENT_TIME", 0, 1, Gives::Fixed(Type::Time(0)), No, |_, env| {
        Ok(Value::Time(env.session.now.rem_euclid(time::DAY_MICROS), 0))
    }),
    row("CURRENT_TIMESTAMP", 0, 1, MOMENT, No, now),
    row("CURRENT_USER", 0, 0, SHORT, No, |_, env| Ok(Value::text(env.session.account_text()))),
    row("CURTIME", 0, 1, Gives::Fixed(Type::Time(0)), No, |_, env| {
        Ok(Value::Time(env.session.now.rem_euclid(time::DAY_MICROS), 0))
    }),
    row("DATABASE", 0, 0, SHORT, Yes, database),
    row("DATE", 1, 1, Gives::Fixed(Type::Date), Yes, moment!(|m| Value::Date(m.div_euclid(time::DAY_MICROS) as i32))),
    row("DATEDIFF", 2, 2, WHOLE, Yes, |a, _| Ok(days_between(&a[0], &a[1]))),
    row("DATE_FORMAT", 2, 2, TEXT, Yes, date_format),
    row("DAY", 1, 1, WHOLE, Yes, moment!(|m| Value::Int(civil(m).2.into()))),
    row("DAYNAME", 1, 1, SHORT, Yes, moment!(|m| Value::text(DAYS[weekday(m)]))),
    row("DAYOFMONTH", 1, 1, WHOLE, Yes, moment!(|m| Value::Int(civil(m).2.into()))),
    row("DAYOFWEEK", 1, 1, WHOLE, Yes, moment!(|m| Value::Int(weekday(m) as i64 + 1))),
    row("FLOOR", 1, 1, WHOLE, Args, strict!(|a: &[Value]| Ok(Value::Int(a[0].number().floor() as i64)))),
    row("FORMAT", 2, 2, TEXT, Args, strict!(format_number)),
    row("FOUND_ROWS", 0, 0, WHOLE, No, |_, env| Ok(Value::Int(env.session.found_rows))),
    row("FROM_UNIXTIME", 1, 1, MOMENT, Yes, strict!(|a: &[Value]| Ok(from_unix(&a[0])))),
    row("GREATEST", 2, MANY, Gives::Common(0), Args, strict!(|a: &[Value]| Ok(extreme(a, true)))),
    row("HOUR", 1, 1, WHOLE, Yes, |a, _| Ok(clock(&a[0]).map_or(Value::Null, |s| Value::Int(s / 3600)))),
    row("IF", 3, 3, Gives::Common(1), Args, |a, _| Ok(a[if a[0].truth() == Some(true) { 1 } else { 2 }].clone())),
    row("IFNULL", 2, 2, Gives::Common(0), All, coalesce),
    row("INSTR", 2, 2, WHOLE, Args, strict!(|a: &[Value]| Ok(Value::Int(find_text(&a[0], &a[1]))))),
    row("ISNULL", 1, 1, WHOLE, No, |a, _| Ok(Value::bool(a[0].is_null()))),
    row("LAST_INSERT_ID", 0, 0, WHOLE, No, |_, env| Ok(Value::Int(env.session.last_insert_id))),
    row("LCASE", 1, 1, Gives::First, Args, strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().to_lowercase())))),
    row("LEAST", 2, MANY, Gives::Common(0), Args, strict!(|a: &[Value]| Ok(extreme(a, false)))),
    row("LEFT", 2, 2, TEXT, Args, strict!(|a: &[Value]| Ok(part(&a[0], 1, Some(whole(&a[1])))))),
    row("LENGTH", 1, 1, WHOLE, Args, strict!(|a: &[Value]| Ok(Value::Int(a[0].to_string().len() as i64)))),
    row("LOCALTIME", 0, 1, MOMENT, No, now),
    row("LOCALTIMESTAMP", 0, 1, MOMENT, No, now),
    row("LOCATE", 2, 2, WHOLE, Args, strict!(|a: &[Value]| Ok(Value::Int(find_text(&a[1], &a[0]))))),
    row("LOWER", 1, 1, Gives::First, Args, strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().to_lowercase())))),
    row("LPAD", 3, 3, TEXT, Args, strict!(|a: &[Value]| Ok(pad(a, true)))),
    row("LTRIM", 1, 1, TEXT, Args, strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().trim_start_matches(' '))))),
    row("MID", 3, 3, TEXT, Args, strict!(substring)),
    row("MINUTE", 1, 1, WHOLE, Yes, |a, _| Ok(clock(&a[0]).map_or(Value::Null, |s| Value::Int(s / 60 % 60)))),
    row("MOD", 2, 2, Gives::First, Yes, |a, _| crate::eval::arithmetic(crate::ast::Op::Modulo, &a[0], &a[1])),
    row("MONTH", 1, 1, WHOLE, Yes, moment!(|m| Value::Int(civil(m).1.into()))),
    row("MONTHNAME", 1, 1, SHORT, Yes, moment!(|m| Value::text(MONTHS[civil(m).1 as usize - 1]))),
    row("NOW", 0, 1, MOMENT, No, now),
    row("NULLIF", 2, 2, Gives::First, Yes, |a, _| {
        Ok(if compare(&a[0], &a[1]) == Some(std::cmp::Ordering::Equal) { Value::Null } else { a[0].clone() })
    }),
    row("POW", 2, 2, DOUBLE, Args, strict!(|a: &[Value]| Ok(Value::Double(a[0].number().powf(a[1].number()))))),
    row("POWER", 2, 2, DOUBLE, Args, strict!(|a: &[Value]| Ok(Value::Double(a[0].number().powf(a[1].number()))))),
    row("REPEAT", 2, 2, TEXT, Args, strict!(repeat)),
    row("REPLACE", 3, 3, TEXT, Args, strict!(|a: &[Value]| Ok(replace(a)))),
    row(
        "REVERSE",
        1,
        1,
        TEXT,
        Args,
        strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().chars().rev().collect::<String>()))),
    ),
    row("RIGHT", 2, 2, TEXT, Args, strict!(right)),
    row("ROUND", 1, 2, Gives::Rounded, Args, strict!(round)),
    row("ROW_COUNT", 0, 0, WHOLE, No, |_, env| Ok(Value::Int(env.session.row_count))),
    row("RPAD", 3, 3, TEXT, Args, strict!(|a: &[Value]| Ok(pad(a, false)))),
    row("RTRIM", 1, 1, TEXT, Args, strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().trim_end_matches(' '))))),
    row("SCHEMA", 0, 0, SHORT, Yes, database),
    row("SECOND", 1, 1, WHOLE, Yes, |a, _| Ok(clock(&a[0]).map_or(Value::Null, |s| Value::Int(s % 60)))),
    row("SESSION_USER", 0, 0, SHORT, No, |_, env| Ok(Value::text(env.session.user_text()))),
    row(
        "SIGN",
        1,
        1,
        WHOLE,
        Args,
        strict!(|a: &[Value]| Ok(Value::Int(a[0].number().partial_cmp(&0.0).map_or(0, |o| o as i64)))),
    ),
    row(
        "SQRT",
        1,
        1,
        DOUBLE,
        Yes,
        strict!(|a: &[Value]| Ok(if a[0].number() < 0.0 { Value::Null } else { Value::Double(a[0].number().sqrt()) })),
    ),
    row("SUBDATE", 2, 2, Gives::Fixed(Type::Date), Yes, |a, env| {
        add_days(&[a[0].clone(), Value::Int(whole(&a[1]).saturating_neg())], env)
    }),
    row("SUBSTR", 2, 3, TEXT, Args, strict!(substring)),
    row("SUBSTRING", 2, 3, TEXT, Args, strict!(substring)),
    row("TIME", 1, 1, Gives::Fixed(Type::Time(0)), Yes, |a, _| {
        Ok(clock(&a[0]).map_or(Value::Null, |s| Value::Time(s * time::SECOND_MICROS, 0)))
    }),
    row("TRIM", 1, 1, TEXT, Args, strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().trim_matches(' '))))),
    row("UCASE", 1, 1, Gives::First, Args, strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().to_uppercase())))),
    row("UNIX_TIMESTAMP", 0, 1, WHOLE, Args, unix),
    row("UPPER", 1, 1, Gives::First, Args, strict!(|a: &[Value]| Ok(Value::text(a[0].to_string().to_uppercase())))),
    row("USER", 0, 0, SHORT, No, |_, env| Ok(Value::text(env.session.user_text()))),
    row("UTC_DATE", 0, 0, Gives::Fixed(Type::Date), No, today),
    row("UTC_TIMESTAMP", 0, 1, MOMENT, No, now),
    row("VERSION", 0, 0, SHORT, No, |_, env| Ok(Value::text(&env.session.server.version))),
    row("WEEKDAY", 1, 1, WHOLE, Yes, moment!(|m| Value::Int((weekday(m) as i64 + 6) % 7))),
    row("YEAR", 1, 1, WHOLE, Yes, moment!(|m| Value::Int(civil(m).0.into()))),
];

/// Functions that MySQL has and this engine has not. Sorted.
const UNBUILT: &[&str] = &[
    "ACOS",
    "ADDTIME",
    "AES_DECRYPT",
    "AES_ENCRYPT",
    "ANY_VALUE",
    "ASCII",
    "ASIN",
    "ATAN",
    "ATAN2",
    "BENCHMARK",
    "BIN",
    "BIN_TO_UUID",
    "BIT_AND",
    "BIT_COUNT",
    "BIT_LENGTH",
    "BIT_OR",
    "BIT_XOR",
    "CHAR",
    "CHARSET",
    "COLLATION",
    "CONV",
    "CONVERT_TZ",
    "COS",
    "COT",
    "CRC32",
    "DAYOFYEAR",
    "DEFAULT",
    "DEGREES",
    "ELT",
    "EXP",
    "EXPORT_SET",
    "FIELD",
    "FIND_IN_SET",
    "FROM_BASE64",
    "FROM_DAYS",
    "GET_LOCK",
    "HEX",
    "INET_ATON",
    "INET_NTOA",
    "INSERT",
    "INTERVAL",
    "IS_UUID",
    "JSON_ARRAY",
    "JSON_ARRAYAGG",
    "JSON_EXTRACT",
    "JSON_OBJECT",
    "JSON_OBJECTAGG",
    "JSON_UNQUOTE",
    "LAST_DAY",
    "LN",
    "LOAD_FILE",
    "LOG",
    "LOG10",
    "LOG2",
    "MAKEDATE",
    "MAKETIME",
    "MD5",
    "MICROSECOND",
    "OCT",
    "ORD",
    "PERIOD_ADD",
    "PERIOD_DIFF",
    "PI",
    "POSITION",
    "QUARTER",
    "QUOTE",
    "RADIANS",
    "RAND",
    "REGEXP_LIKE",
    "REGEXP_REPLACE",
    "RELEASE_LOCK",
    "SEC_TO_TIME",
    "SHA",
    "SHA1",
    "SHA2",
    "SIN",
    "SLEEP",
    "SOUNDEX",
    "SPACE",
    "STD",
    "STDDEV",
    "STRCMP",
    "STR_TO_DATE",
    "SUBSTRING_INDEX",
    "SUBTIME",
    "SYSDATE",
    "TAN",
    "TIMEDIFF",
    "TIMESTAMP",
    "TIMESTAMPDIFF",
    "TIME_FORMAT",
    "TIME_TO_SEC",
    "TO_BASE64",
    "TO_DAYS",
    "TRUNCATE",
    "UNHEX",
    "UUID",
    "UUID_SHORT",
    "VARIANCE",
    "WEEK",
    "WEEKOFYEAR",
    "YEARWEEK",
];

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Characters that a function makes at most, as MySQL's packet has bytes.
const TEXT_CHARS_MAX: i64 = 64 * 1024 * 1024;

/// The function of a name in capitals.
///
/// # Errors
/// 1305: there is none; 1235: there is one in MySQL.
pub(crate) fn find(name: &str, db: Option<&str>) -> Result<&'static Function> {
    if let Ok(at) = FUNCTIONS.binary_search_by(|f| f.name.cmp(name)) {
        return Ok(&FUNCTIONS[at]);
    }
    if UNBUILT.binary_search(&name).is_ok() {
        return Err(Error::refused(format!("kubonsai does not support the function {name} (mysql) yet")));
    }
    match db {
        Some(db) => Err(Error::new(1305, "42000", format!("FUNCTION {db}.{name} does not exist"))),
        None => Err(Error::no_database()),
    }
}

/// MySQL's last moment, 3001-01-18 23:59:59.
const UNIX_SECONDS_MAX: f64 = 32_536_771_199.0;

fn from_unix(value: &Value) -> Value {
    let seconds = value.number();
    match (0.0..=UNIX_SECONDS_MAX).contains(&seconds) {
        true => Value::DateTime(seconds as i64 * time::SECOND_MICROS, 0),
        false => Value::Null,
    }
}

fn abs(value: &Value) -> Value {
    match value {
        Value::Int(n) => n.checked_abs().map_or(Value::Double(value.number().abs()), Value::Int),
        Value::Decimal(n, scale) => Value::Decimal(n.abs(), *scale),
        other => Value::Double(other.number().abs()),
    }
}

fn whole(value: &Value) -> i64 {
    value.number().round() as i64
}

fn char_length(args: &[Value]) -> Result<Value> {
    Ok(Value::Int(args[0].to_string().chars().count() as i64))
}

fn coalesce(args: &[Value], _: &Env<'_>) -> Result<Value> {
    Ok(args.iter().find(|v| !v.is_null()).cloned().unwrap_or(Value::Null))
}

fn concat_ws(args: &[Value], _: &Env<'_>) -> Result<Value> {
    let Some(between) = args[0].shown() else { return Ok(Value::Null) };
    Ok(Value::text(args[1..].iter().filter_map(Value::shown).collect::<Vec<_>>().join(&between)))
}

fn now(args: &[Value], env: &Env<'_>) -> Result<Value> {
    let places = args.first().map_or(0, |v| whole(v).clamp(0, 6) as u8);
    let unit = 10i64.pow(6 - u32::from(places));
    Ok(Value::DateTime(env.session.now.div_euclid(unit) * unit, places))
}

fn today(_: &[Value], env: &Env<'_>) -> Result<Value> {
    Ok(Value::Date(env.session.now.div_euclid(time::DAY_MICROS) as i32))
}

fn database(_: &[Value], env: &Env<'_>) -> Result<Value> {
    Ok(env.session.database.as_ref().map_or(Value::Null, Value::text))
}

fn civil(moment: i64) -> (i32, u32, u32) {
    time::civil(moment.div_euclid(time::DAY_MICROS) as i32)
}

/// 0 for Sunday.
fn weekday(moment: i64) -> usize {
    (moment.div_euclid(time::DAY_MICROS) + 4).rem_euclid(7) as usize
}

/// Seconds since midnight.
fn clock(value: &Value) -> Option<i64> {
    match value {
        Value::Time(micros, _) => Some(micros.abs() / time::SECOND_MICROS),
        Value::Text(text) if !text.contains('-') => {
            time::parse_time(text).map(|(micros, _)| micros / time::SECOND_MICROS)
        }
        other => other.moment().map(|m| m.rem_euclid(time::DAY_MICROS) / time::SECOND_MICROS),
    }
}

fn days_between(a: &Value, b: &Value) -> Value {
    let day = |v: &Value| v.moment().map(|m| m.div_euclid(time::DAY_MICROS));
    day(a).zip(day(b)).map_or(Value::Null, |(a, b)| Value::Int(a - b))
}

fn add_days(args: &[Value], _: &Env<'_>) -> Result<Value> {
    let (Some(moment), false) = (args[0].moment(), args[1].is_null()) else { return Ok(Value::Null) };
    let day = moment.div_euclid(time::DAY_MICROS).saturating_add(whole(&args[1]));
    Ok(if time::is_day(day) { Value::Date(day as i32) } else { Value::Null })
}

fn unix(args: &[Value], env: &Env<'_>) -> Result<Value> {
    let moment = args.first().map_or(Some(env.session.now), Value::moment);
    Ok(moment.map_or(Value::Null, |m| Value::Int(m.div_euclid(time::SECOND_MICROS))))
}

fn extreme(args: &[Value], largest: bool) -> Value {
    let mut best = &args[0];
    for value in &args[1..] {
        if order(value, best) == (if largest { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less }) {
            best = value;
        }
    }
    best.clone()
}

/// The place of a text in another, from 1; 0 if it is not there.
fn find_text(text: &Value, wanted: &Value) -> i64 {
    let (text, wanted) = (text.to_string().to_lowercase(), wanted.to_string().to_lowercase());
    text.find(&wanted).map_or(0, |at| text[..at].chars().count() as i64 + 1)
}

/// Characters from a place on, counted from 1, or from the end below zero.
fn part(text: &Value, from: i64, count: Option<i64>) -> Value {
    let all: Vec<char> = text.to_string().chars().collect();
    let length = all.len() as i64;
    let begin = if from < 0 { length.saturating_add(from) } else { from.saturating_sub(1) };
    if from == 0 || begin < 0 || begin >= length {
        return Value::text("");
    }
    let count = count.unwrap_or(length).clamp(0, length - begin);
    Value::text(all[begin as usize..(begin + count) as usize].iter().collect::<String>())
}

fn substring(args: &[Value]) -> Result<Value> {
    Ok(part(&args[0], whole(&args[1]), args.get(2).map(whole)))
}

fn right(args: &[Value]) -> Result<Value> {
    let count = whole(&args[1]).max(0);
    let length = args[0].to_string().chars().count() as i64;
    Ok(if count == 0 { Value::text("") } else { part(&args[0], length.saturating_sub(count).max(0) + 1, None) })
}

fn too_long(name: &str) -> Error {
    Error::refused(format!("kubonsai does not support texts of more than 64 MiB of {name} (mysql) yet"))
}

fn repeat(args: &[Value]) -> Result<Value> {
    let (text, count) = (args[0].to_string(), whole(&args[1]).max(0));
    if (text.len() as i64).saturating_mul(count) > TEXT_CHARS_MAX {
        return Err(too_long("REPEAT"));
    }
    Ok(Value::text(text.repeat(count as usize)))
}

fn pad(args: &[Value], left: bool) -> Value {
    let text: Vec<char> = args[0].to_string().chars().collect();
    let with: Vec<char> = args[2].to_string().chars().collect();
    let wanted = whole(&args[1]);
    if !(0..=TEXT_CHARS_MAX).contains(&wanted) || with.is_empty() && wanted as usize > text.len() {
        return Value::Null;
    }
    let wanted = wanted as usize;
    let own: String = text.iter().take(wanted).collect();
    let more: String = with.iter().cycle().take(wanted.saturating_sub(text.len())).collect();
    Value::text(if left { more + &own } else { own + &more })
}

fn replace(args: &[Value]) -> Value {
    let old = args[1].to_string();
    if old.is_empty() {
        return Value::text(args[0].to_string());
    }
    Value::text(args[0].to_string().replace(&old, &args[2].to_string()))
}

fn round(args: &[Value]) -> Result<Value> {
    let places = args.get(1).map_or(0, whole).clamp(-30, 30);
    let Some((digits, scale)) = args[0].exact() else {
        let unit = 10f64.powi(places as i32);
        return Ok(Value::Double((args[0].number() * unit).round() / unit));
    };
    let shown = u8::try_from(places).unwrap_or(0).min(scale);
    let digits = if places < 0 {
        let unit = 10i128.pow(places.unsigned_abs() as u32);
        rescale(digits, scale, 0).map(|n| (n + n.signum() * (unit / 2)) / unit * unit).unwrap_or(0)
    } else {
        rescale(digits, scale, shown).unwrap_or(digits)
    };
    Ok(match args[0] {
        Value::Decimal(..) => Value::Decimal(digits, shown),
        _ => i64::try_from(digits).map_or(Value::Null, Value::Int),
    })
}

/// A number with commas between thousands.
fn format_number(args: &[Value]) -> Result<Value> {
    let places = whole(&args[1]).clamp(0, 30) as u8;
    let exact = args[0].exact().or_else(|| crate::value::parse_decimal(&args[0].number().to_string()));
    let digits = exact.and_then(|(n, scale)| rescale(n, scale, places)).unwrap_or(0);
    let text = Value::Decimal(digits, places).to_string();
    let (whole, part) = text.split_once('.').map_or((text.as_str(), String::new()), |(w, p)| (w, format!(".{p}")));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |w| ("-", w));
    let groups: Vec<&str> = whole.as_bytes().rchunks(3).rev().filter_map(|c| std::str::from_utf8(c).ok()).collect();
    Ok(Value::text(format!("{sign}{}{part}", groups.join(","))))
}

fn date_format(args: &[Value], _: &Env<'_>) -> Result<Value> {
    let (Some(moment), Some(format)) = (args[0].moment(), args[1].shown()) else { return Ok(Value::Null) };
    let (year, month, day) = civil(moment);
    let seconds = moment.rem_euclid(time::DAY_MICROS) / time::SECOND_MICROS;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let twelve = (hour + 11) % 12 + 1;
    let half = if hour < 12 { "AM" } else { "PM" };
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let Some(kind) = chars.next() else { break };
        out.push_str(&match kind {
            'Y' => format!("{year:04}"),
            'y' => format!("{:02}", year % 100),
            'm' => format!("{month:02}"),
            'c' => month.to_string(),
            'd' => format!("{day:02}"),
            'e' => day.to_string(),
            'H' => format!("{hour:02}"),
            'k' => hour.to_string(),
            'h' | 'I' => format!("{twelve:02}"),
            'l' => twelve.to_string(),
            'i' => format!("{minute:02}"),
            's' | 'S' => format!("{second:02}"),
            'f' => format!("{:06}", moment.rem_euclid(time::SECOND_MICROS)),
            'p' => half.to_owned(),
            'W' => DAYS[weekday(moment)].to_owned(),
            'a' => DAYS[weekday(moment)][..3].to_owned(),
            'w' => weekday(moment).to_string(),
            'M' => MONTHS[month as usize - 1].to_owned(),
            'b' => MONTHS[month as usize - 1][..3].to_owned(),
            'T' => format!("{hour:02}:{minute:02}:{second:02}"),
            'r' => format!("{twelve:02}:{minute:02}:{second:02} {half}"),
            'D' | 'j' | 'U' | 'u' | 'V' | 'v' | 'X' | 'x' => {
                return Err(Error::refused(format!("kubonsai does not support %{kind} in DATE_FORMAT (mysql) yet")));
            }
            other => other.to_string(),
        });
    }
    Ok(Value::text(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        assert!(FUNCTIONS.is_sorted_by_key(|f| f.name) && UNBUILT.is_sorted());
        assert!(FUNCTIONS.iter().all(|f| UNBUILT.binary_search(&f.name).is_err()));
        assert_eq!(find("NONE", Some("shop")).expect_err("none").code, 1305);
        assert_eq!(find("MD5", None).expect_err("unbuilt").code, 1235);
    }
}
