//! Statements and what they give, as text: `OK n` or rows with `|` between their fields, or the error's number.

use std::rc::Rc;

use crate::{Engine, Outcome, Server, Session};

/// 2026-11-22 09:30:00.
const NOW: i64 = 1_795_339_800_000_000;

fn session(id: u32) -> Session {
    let server = Server { version: "9.7.0".into(), hostname: "mysql-0".into(), port: 3306, ..Server::default() };
    let mut session = Session::new(id, "localhost", &Rc::new(server));
    session.now = NOW;
    session
}

fn run(engine: &mut Engine, session: &mut Session, sql: &str) -> String {
    match engine.execute(session, sql) {
        Ok(Outcome::Rows { rows, .. }) => {
            let line = |row: &crate::Row| row.iter().map(|v| v.to_string()).collect::<Vec<_>>().join("|");
            rows.iter().map(line).collect::<Vec<_>>().join(" / ")
        }
        Ok(Outcome::Done { affected, info, .. }) => format!("OK {affected} {info}").trim_end().to_owned(),
        Err(error) => format!("{} {}", error.code, error.text),
    }
}

/// Runs statements; the expected text is after `=>`, an error's may be its beginning.
fn play(script: &str) {
    let mut engine = Engine::default();
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(&mut engine, &mut root, script);
}

fn play_on(engine: &mut Engine, session: &mut Session, script: &str) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (sql, expected) = line.split_once(" => ").unwrap_or((line, "OK"));
        let got = run(engine, session, sql.trim());
        let fits = got == expected
            || (expected == "OK"
                || expected.starts_with(|c: char| c.is_ascii_digit()) && got.len() > 5 && got.as_bytes()[4] == b' ')
                && got.starts_with(expected);
        assert!(fits, "{sql}\n  wanted {expected}\n  got    {got}");
    }
}

#[test]
fn expressions() {
    play(
        "SELECT 1 => 1
         SELECT 1+1, 7/2, 7 DIV 2, -7 % 3, 2*1.5 => 2|3.5000|3|-1|3.0
         SELECT NULL = NULL, NULL <=> NULL, NULL IS NULL, 1 IN (2, NULL) => NULL|1|1|NULL
         SELECT NULL AND 0, NULL OR 1, NOT NULL, 1 XOR 1 => 0|1|NULL|0
         SELECT 'a' = 'A', 'b' LIKE 'B%', '10' + 5 => 1|1|15
         SELECT CONCAT('a', 1, NULL), CONCAT('a', 1), UPPER('x'), LENGTH('é'), CHAR_LENGTH('é') => NULL|a1|X|2|1
         SELECT IF(1 > 2, 'y', 'n'), IFNULL(NULL, 3), COALESCE(NULL, NULL, 'z'), NULLIF(1, 1) => n|3|z|NULL
         SELECT CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END, CASE WHEN 0 THEN 1 ELSE 2 END => b|2
         SELECT NOW(), CURDATE(), DATE_FORMAT(NOW(), '%d.%m.%Y %H:%i') => 2026-11-22 09:30:00|2026-11-22|22.11.2026 09:30
         SELECT DATE_ADD('2026-01-31', INTERVAL 1 MONTH), NOW() + INTERVAL 1 DAY => 2026-02-28|2026-11-23 09:30:00
         SELECT DATEDIFF('2026-12-25', '2026-11-22'), DAYNAME('2026-11-22') => 33|Sunday
         SELECT VERSION(), @@hostname, DATABASE(), USER(), CONNECTION_ID() => 9.7.0|mysql-0|NULL|root@localhost|8
         SELECT ROUND(2.345, 2), ROUND(2.5), FLOOR(-1.5), FORMAT(1234567.891, 2) => 2.35|3|-2|1,234,567.89
         SELECT SUBSTRING('kubernetes', 1, 4), REPLACE('aba', 'b', 'c'), LPAD('7', 3, '0') => kube|aca|007
         SELECT CAST('12' AS SIGNED) + 1, CAST('1.239' AS DECIMAL(5,2)) => 13|1.24
         SELECT 9223372036854775807 + 1 => 1690 BIGINT value is out of range in '(9223372036854775807 + 1)'
         SELECT nope => 1054 Unknown column 'nope' in 'field list'
         SELECT MD5('x') => 1235 kubonsai does not support the function MD5 (mysql) yet
         SELECT * => 1096 No tables used",
    );
}

const SHOP: &str = "CREATE DATABASE shop => OK 1
    USE shop
    CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL, email VARCHAR(40) UNIQUE, age INT)
    CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, user_id INT, total DECIMAL(8,2) NOT NULL DEFAULT 0, FOREIGN KEY (user_id) REFERENCES users(id))
    INSERT INTO users (name, email, age) VALUES ('Ann','a@x',30),('Bob','b@x',NULL),('Cid','c@x',25) => OK 3 Records: 3  Duplicates: 0  Warnings: 0
    INSERT INTO orders (user_id, total) VALUES (1, 10.5), (1, 4.25), (3, 7) => OK 3 Records: 3  Duplicates: 0  Warnings: 0
";

#[test]
fn queries() {
    play(&format!(
        "{SHOP}
         SELECT * FROM users => 1|Ann|a@x|30 / 2|Bob|b@x|NULL / 3|Cid|c@x|25
         SELECT name FROM users ORDER BY age DESC, 1 LIMIT 2 => Ann / Cid
         SELECT name FROM users WHERE age IS NULL OR age < 28 ORDER BY name => Bob / Cid
         SELECT name FROM users ORDER BY id LIMIT 1 OFFSET 1 => Bob
         SELECT COUNT(*), COUNT(age), SUM(age), AVG(age), MIN(name), MAX(age) FROM users => 3|2|55|27.5000|Ann|30
         SELECT u.name, SUM(o.total) AS t FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id ORDER BY t DESC => Ann|14.75 / Cid|7.00
         SELECT u.name, o.id FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE o.id IS NULL => Bob|NULL
         SELECT COUNT(*) FROM users, orders => 9
         SELECT user_id, COUNT(*) c FROM orders GROUP BY user_id HAVING c > 1 => 1|2
         SELECT name FROM users WHERE id IN (SELECT user_id FROM orders) ORDER BY id => Ann / Cid
         SELECT name FROM users u WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id) => Bob
         SELECT name, (SELECT COUNT(*) FROM orders o WHERE o.user_id = u.id) FROM users u => Ann|2 / Bob|0 / Cid|1
         SELECT DISTINCT user_id FROM orders => 1 / 3
         SELECT name FROM users UNION SELECT 'Ann' ORDER BY name DESC => Cid / Bob / Ann
         SELECT GROUP_CONCAT(name ORDER BY name DESC SEPARATOR ';') FROM users => Cid;Bob;Ann
         SELECT t.n FROM (SELECT COUNT(*) n FROM orders) t => 3
         SELECT * FROM users JOIN orders USING (id) WHERE id = 1 => 1|Ann|a@x|30|1|10.50
         SELECT name, COUNT(*) FROM users GROUP BY age => 1055 Expression #1 of SELECT list is not in GROUP BY clause and contains nonaggregated column 'shop.users.name'
         SELECT name, COUNT(*) FROM users => 1140 In aggregated query without GROUP BY, expression #1
         SELECT id FROM users, orders => 1052 Column 'id' in field list is ambiguous
         SELECT (SELECT id FROM users) => 1242 Subquery returns more than 1 row
         SELECT SUM(COUNT(*)) FROM users => 1111 Invalid use of group function
         SELECT 1 FROM none => 1146 Table 'shop.none' doesn't exist
         SELECT 1 FROM none.t => 1049 Unknown database 'none'"
    ));
}

#[test]
fn changes_of_rows() {
    play(&format!(
        "{SHOP}
         UPDATE users SET age = age + 1 WHERE age > 10 => OK 2 Rows matched: 2  Changed: 2  Warnings: 0
         UPDATE users SET age = 31 WHERE id = 1 => OK 0 Rows matched: 1  Changed: 0  Warnings: 0
         DELETE FROM users WHERE id = 1 => 1451 Cannot delete or update a parent row: a foreign key constraint fails (`shop`.`orders`, CONSTRAINT `orders_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`))
         INSERT INTO orders (user_id) VALUES (9) => 1452 Cannot add or update a child row
         DELETE FROM users WHERE id = 2 => OK 1
         INSERT INTO users (name) VALUES ('Dan') => OK 1
         SELECT LAST_INSERT_ID(), id FROM users WHERE name = 'dan' => 4|4
         INSERT INTO users (name, email) VALUES ('Eve', 'A@X') => 1062 Duplicate entry 'A@X' for key 'users.email'
         INSERT INTO users (email) VALUES ('e@x') => 1364 Field 'name' doesn't have a default value
         INSERT INTO users VALUES (1, 2) => 1136 Column count doesn't match value count at row 1
         INSERT INTO users (name) VALUES (NULL) => 1048 Column 'name' cannot be null
         INSERT INTO users (name, age) VALUES ('x', 'old') => 1366 Incorrect integer value: 'old' for column 'age' at row 1
         INSERT INTO users (name) VALUES ('a name that is far too long') => 1406 Data too long for column 'name' at row 1
         INSERT IGNORE INTO users (id, name) VALUES (1, 'again') => OK 0
         SHOW WARNINGS => Warning|1062|Duplicate entry '1' for key 'users.PRIMARY'
         INSERT INTO users (id, name) VALUES (1, 'again') ON DUPLICATE KEY UPDATE age = 5, name = VALUES(name) => OK 2
         SELECT name, age FROM users WHERE id = 1 => again|5
         INSERT INTO users (name) VALUES ('p'), (NULL) => 1048 Column 'name' cannot be null
         SELECT COUNT(*) FROM users => 3
         TRUNCATE TABLE orders
         DELETE FROM users => OK 3
         SELECT COUNT(*) FROM users => 0"
    ));
}

#[test]
fn definitions() {
    play(&format!(
        "{SHOP}
         SHOW TABLES => orders / users
         DESCRIBE users => id|int|NO|PRI|NULL|auto_increment / name|varchar(20)|NO||NULL| / email|varchar(40)|YES|UNI|NULL| / age|int|YES||NULL|
         SHOW DATABASES => information_schema / mysql / performance_schema / shop / sys
         CREATE DATABASE shop => 1007 Can't create database 'shop'; database exists
         CREATE TABLE users (a INT) => 1050 Table 'users' already exists
         CREATE TABLE t (a INT, a INT) => 1060 Duplicate column name 'a'
         CREATE TABLE t (a INT AUTO_INCREMENT) => 1075 Incorrect table definition
         CREATE TABLE t (a JSON) => 1235 kubonsai does not support the type JSON (mysql) yet
         DROP TABLE users => 3730 Cannot drop table 'users' referenced by a foreign key constraint 'orders_ibfk_1' on table 'orders'.
         DROP TABLE nope => 1051 Unknown table 'shop.nope'
         ALTER TABLE users ADD COLUMN city VARCHAR(10) DEFAULT 'Kyoto' AFTER name
         SELECT * FROM users WHERE id = 1 => 1|Ann|Kyoto|a@x|30
         ALTER TABLE users DROP COLUMN city, ADD UNIQUE KEY by_name (name)
         INSERT INTO users (name) VALUES ('ann') => 1062 Duplicate entry 'ann' for key 'users.by_name'
         ALTER TABLE users DROP INDEX by_name
         ALTER TABLE users CHANGE age years SMALLINT
         SELECT years FROM users WHERE id = 3 => 25
         CREATE INDEX by_years ON users (years)
         CREATE TABLE stamps (a TIMESTAMP DEFAULT CURRENT_TIMESTAMP, b INT)
         INSERT INTO stamps (b) VALUES (1) => OK 1
         SELECT a FROM stamps => 2026-11-22 09:30:00
         CREATE TABLE copy AS SELECT id, name FROM users => OK 3
         DROP TABLE IF EXISTS copy, nope
         DROP DATABASE shop => OK 3
         SELECT DATABASE() => NULL
         SHOW TABLES => 1046 No database selected"
    ));
    let mut engine = Engine::default();
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(&mut engine, &mut root, SHOP);
    let text = run(&mut engine, &mut root, "SHOW CREATE TABLE orders");
    let expected = "orders|CREATE TABLE `orders` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `user_id` int DEFAULT NULL,\n  `total` decimal(8,2) NOT NULL DEFAULT '0.00',\n  PRIMARY KEY (`id`),\n  KEY `user_id` (`user_id`),\n  CONSTRAINT `orders_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci";
    assert_eq!(text, expected);
    // What it shows makes the same table.
    play_on(&mut engine, &mut root, "DROP TABLE orders");
    run(&mut engine, &mut root, expected.strip_prefix("orders|").expect("as above"));
    assert_eq!(run(&mut engine, &mut root, "SHOW CREATE TABLE orders"), expected);
}

#[test]
fn transactions_do_not_see_each_other() {
    let mut engine = Engine::default();
    let (mut a, mut b) = (session(8), session(9));
    engine.login_as_server(&mut a);
    engine.login_as_server(&mut b);
    play_on(&mut engine, &mut a, SHOP);
    play_on(&mut engine, &mut b, "USE shop");
    play_on(
        &mut engine,
        &mut a,
        "BEGIN\nUPDATE users SET age = 1 WHERE id = 1 => OK 1 Rows matched: 1  Changed: 1  Warnings: 0",
    );
    play_on(
        &mut engine,
        &mut b,
        "SELECT age FROM users WHERE id = 1 => 30\nUPDATE users SET age = 2 WHERE id = 3\nBEGIN\nSELECT age FROM users WHERE id = 1 => 30",
    );
    play_on(
        &mut engine,
        &mut a,
        "SELECT age FROM users WHERE id IN (1, 3) => 1 / 25\nCOMMIT\nSELECT age FROM users WHERE id IN (1, 3) => 1 / 2",
    );
    // A snapshot stays what it was; who changes what has changed since is told to begin again.
    play_on(
        &mut engine,
        &mut b,
        "SELECT age FROM users WHERE id = 1 => 30\nUPDATE users SET age = 3 WHERE id = 1\nCOMMIT => 1213 Deadlock found\nSELECT age FROM users WHERE id = 1 => 1",
    );
    // Numbers that were given are not given again, and a table that is another by now is not written to.
    play_on(&mut engine, &mut b, "BEGIN\nINSERT INTO users (name) VALUES ('b')");
    play_on(&mut engine, &mut a, "INSERT INTO users (name) VALUES ('a')");
    play_on(
        &mut engine,
        &mut b,
        "COMMIT\nINSERT INTO users (name) VALUES ('c')\nSELECT name FROM users WHERE id > 3 => b / a / c",
    );
    play_on(&mut engine, &mut b, "BEGIN\nINSERT INTO users (name) VALUES ('late')");
    play_on(&mut engine, &mut a, "ALTER TABLE users ADD COLUMN city INT");
    play_on(
        &mut engine,
        &mut b,
        "COMMIT => 1412 Table definition has changed\nSELECT COUNT(*), COUNT(city) FROM users => 6|0",
    );
    play_on(&mut engine, &mut a, "BEGIN\nDELETE FROM orders => OK 3\nROLLBACK\nSELECT COUNT(*) FROM orders => 3");
}

#[test]
fn accounts_may_do_what_they_were_granted() {
    let mut engine = Engine::default();
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(&mut engine, &mut root, SHOP);
    play_on(
        &mut engine,
        &mut root,
        "CREATE USER 'app'@'%' IDENTIFIED BY 'pw'\nGRANT SELECT, INSERT ON shop.* TO 'app'@'%'\nCREATE USER 'app'@'%' => 1396 Operation CREATE USER failed for 'app'@'%'",
    );
    let mut app = session(9);
    app.host = "10.244.0.5".to_owned();
    assert!(!engine.login(&mut app, "app", <[u8]>::is_empty));
    assert!(engine.login(&mut app, "app", |digest| digest.len() == 32));
    assert!(!engine.login(&mut app, "nobody", |_| true));
    play_on(
        &mut engine,
        &mut app,
        "SHOW DATABASES => information_schema / performance_schema / shop
         USE shop
         SELECT COUNT(*) FROM users => 3
         DELETE FROM users => 1142 DELETE command denied to user 'app'@'10.244.0.5' for table 'users'
         CREATE DATABASE more => 1044 Access denied for user 'app'@'%' to database 'more'
         DROP USER 'app'@'%' => 1227 Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation
         SHOW GRANTS => GRANT USAGE ON *.* TO `app`@`%` / GRANT SELECT, INSERT ON `shop`.* TO `app`@`%`",
    );
    play_on(
        &mut engine,
        &mut root,
        "SELECT user, host FROM mysql.user => app|% / root|localhost\nREVOKE ALL ON shop.* FROM 'app'@'%'",
    );
    play_on(&mut engine, &mut app, "SELECT COUNT(*) FROM users => 1142 SELECT command denied");
}

#[test]
fn what_was_answered_is_there_after_a_crash() {
    let folder = std::env::temp_dir().join(format!("kubonsai-sql-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("kubonsai.log");
    let _ = std::fs::remove_file(&path);
    let mut root = session(8);
    let mut engine = Engine::open(&path).expect("opens");
    engine.login_as_server(&mut root);
    play_on(&mut engine, &mut root, SHOP);
    play_on(
        &mut engine,
        &mut root,
        "UPDATE users SET age = 99 WHERE id = 1\nDELETE FROM orders WHERE id = 3\nBEGIN\nDELETE FROM orders",
    );
    drop(engine);
    // The end of the last frame did not reach the disk.
    let whole = std::fs::read(&path).expect("the log");
    std::fs::write(&path, &whole[..whole.len() - 3]).expect("cut");
    let mut engine = Engine::open(&path).expect("opens");
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(
        &mut engine,
        &mut root,
        "USE shop\nSELECT id, age FROM users => 1|99 / 2|NULL / 3|25\nSELECT COUNT(*) FROM orders => 3\nINSERT INTO users (name) VALUES ('new')\nSELECT MAX(id) FROM users => 4",
    );
    // A log that grows is written anew, and says the same.
    play_on(
        &mut engine,
        &mut root,
        "CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, t LONGTEXT)\nINSERT INTO big (t) VALUES ('x')",
    );
    for _ in 0..12 {
        play_on(
            &mut engine,
            &mut root,
            "UPDATE big SET t = REPEAT(CONCAT(LENGTH(t) MOD 7, 'y'), 60000 + LENGTH(t) MOD 9)",
        );
    }
    drop(engine);
    let bytes = std::fs::metadata(&path).expect("the log").len();
    assert!(bytes < 1_400_000, "{bytes}");
    let mut engine = Engine::open(&path).expect("opens");
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(
        &mut engine,
        &mut root,
        "SELECT COUNT(*), LENGTH(MAX(t)) > 100000 FROM shop.big => 1|1\nSELECT COUNT(*) FROM shop.users => 4",
    );
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// Words that random statements are made of.
const WORDS: &[&str] = &[
    "SELECT",
    "*",
    "FROM",
    "users",
    "orders",
    "u",
    "WHERE",
    "id",
    "name",
    "age",
    "total",
    "=",
    "<",
    ">",
    "AND",
    "OR",
    "NOT",
    "NULL",
    "1",
    "-1",
    "9223372036854775807",
    "1.5",
    "1e300",
    "'x'",
    "'2026-02-31'",
    "''",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "DIV",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "HAVING",
    "COUNT(*)",
    "SUM(age)",
    "MAX(name)",
    "DISTINCT",
    "IN",
    "EXISTS",
    "LEFT JOIN",
    "JOIN",
    "ON",
    "USING",
    "AS",
    "UNION",
    "BETWEEN",
    "LIKE",
    "IS",
    "CASE",
    "WHEN",
    "THEN",
    "END",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE FROM",
    "CREATE TABLE",
    "t",
    "INT",
    "PRIMARY KEY",
    "AUTO_INCREMENT",
    "VARCHAR(3)",
    "DECIMAL(65,30)",
    "DEFAULT",
    "ALTER TABLE",
    "ADD",
    "DROP",
    "COLUMN",
    "MODIFY",
    "CHANGE",
    "RENAME",
    "INDEX",
    "UNIQUE",
    "FOREIGN KEY",
    "REFERENCES",
    "ENGINE=InnoDB",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SHOW",
    "TABLES",
    "COLUMNS",
    "SUBSTRING(",
    "ROUND(",
    "LPAD(",
    "DATE_ADD(",
    "INTERVAL",
    "MONTH",
    "DAY",
    "CONCAT(",
    "GROUP_CONCAT(",
    "CAST(",
    "SIGNED",
    "DATE",
    ".",
    "@x",
    "@@version",
    "ON DUPLICATE KEY UPDATE",
    "IGNORE",
    "TRUNCATE",
    "\\",
    "\u{6728}",
    "`",
    "NOW()",
    "i64",
    "POW(",
    "FORMAT(",
    "REPLACE",
    "DESCRIBE",
    "GRANT",
    "ALL",
    "TO",
    "root",
];

/// What may stand beside an operator.
const OPERANDS: &[&str] = &[
    "id",
    "name",
    "age",
    "NULL",
    "0",
    "-1",
    "9223372036854775807",
    "1.5",
    "1e300",
    "'x'",
    "'2026-02-31'",
    "'2024-01-31'",
    "NOW()",
    "COUNT(*)",
    "SUM(age)",
    "SUBSTRING(name, -9223372036854775807)",
    "ROUND(age, -40)",
    "LPAD(name, age, '')",
    "DATE_ADD(NOW(), INTERVAL age MONTH)",
    "POW(age, 999)",
    "u.id",
    "FORMAT(1e200, 40)",
    "CAST('x' AS DECIMAL(65,30))",
    "(SELECT MAX(id) FROM orders)",
    "CASE age WHEN 1 THEN 2 END",
    "GREATEST(id, name)",
    "'\u{6728}'",
    "CURDATE() - INTERVAL 99999999 DAY",
    "LEFT(name, 1)",
    "REPEAT('a', 3)",
    "@x",
    "DATE_FORMAT('0000-01-01', '%W %M')",
    "FROM_UNIXTIME(1e17)",
];
const OPERATORS: &[&str] =
    &["+", "-", "*", "/", "DIV", "%", "=", "<=>", "<", ">=", "AND", "OR", "XOR", "LIKE", ",", "IS NOT", "IN"];

/// Whole statements that random words are put into.
const FRAMES: &[&str] = &[
    "?",
    "SELECT ?",
    "SELECT ? FROM users u WHERE ?",
    "SELECT ? FROM users u JOIN orders o ON ? GROUP BY ?",
    "UPDATE users SET age = ? WHERE ?",
    "INSERT INTO users VALUES (?, ?, ?, ?)",
    "ALTER TABLE orders ?",
    "CREATE TABLE t (a ?, b ?)",
    "DELETE FROM users WHERE ? ORDER BY ? LIMIT 1",
];

#[test]
fn no_statement_ends_the_server() {
    let mut engine = Engine::default();
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(&mut engine, &mut root, SHOP);
    let mut state = 42u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut good, mut unread) = (0, 0);
    for round in 0..60_000 {
        let mut sql = String::new();
        for part in FRAMES[random(FRAMES.len())].split_inclusive('?') {
            sql.push_str(part.trim_end_matches('?'));
            if part.ends_with('?') {
                if random(4) == 0 {
                    (0..=random(4)).for_each(|_| sql.extend([WORDS[random(WORDS.len())], " "]));
                    continue;
                }
                sql.push_str(OPERANDS[random(OPERANDS.len())]);
                for _ in 0..random(3) {
                    let (op, operand) = (OPERATORS[random(OPERATORS.len())], OPERANDS[random(OPERANDS.len())]);
                    sql.push_str(&format!(" {op} {operand}"));
                }
            }
        }
        match engine.execute(&mut root, &sql) {
            Ok(_) => good += 1,
            Err(error) => unread += usize::from(error.code == 1064),
        }
        if round % 500 == 499 {
            run(&mut engine, &mut root, "ROLLBACK");
            run(&mut engine, &mut root, "DROP DATABASE shop");
            play_on(&mut engine, &mut root, SHOP);
        }
    }
    assert!(good > 2_000 && unread > 20_000, "{good} worked, {unread} could not be read");
}
