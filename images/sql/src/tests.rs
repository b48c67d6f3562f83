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
        Err(error) => format!("ERROR {} {}", error.code, error.text),
    }
}

/// Runs statements; the expected text is after `=>`. An error's may be its number and the beginning of its words; a change
/// without one may be of any count.
fn play(script: &str) {
    let mut engine = Engine::default();
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(&mut engine, &mut root, script);
}

/// Whether what came is what was wanted.
fn fits(got: &str, expected: &str) -> bool {
    let number = expected.split_once(' ').filter(|(n, _)| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit()));
    match got.strip_prefix("ERROR ") {
        Some(error) => number.is_some() && error.starts_with(expected),
        None => got == expected || expected == "OK" && got.starts_with("OK "),
    }
}

fn play_on(engine: &mut Engine, session: &mut Session, script: &str) {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (sql, expected) = line.split_once(" => ").unwrap_or((line, "OK"));
        let got = run(engine, session, sql.trim());
        assert!(fits(&got, expected), "{sql}\n  wanted {expected}\n  got    {got}");
    }
}

#[test]
fn what_is_expected_is_compared_whole() {
    for (got, expected, fit) in [
        ("1|2", "1", false),
        ("ERROR 1062 Duplicate entry", "1062 Duplicate", true),
        ("ERROR 1062 Duplicate entry", "1062", false),
        ("ERROR 1062 Duplicate entry", "1064 Duplicate", false),
        ("ERROR 1062 Duplicate entry", "OK", false),
        ("2026 x", "2026 ", false),
        ("OK 2", "OK", true),
        ("OK 2", "OK 2", true),
        ("OK 21", "OK 2", false),
        ("", "OK", false),
    ] {
        assert_eq!(fits(got, expected), fit, "{got} {expected}");
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
fn texts_have_a_largest_length() {
    play(
        "SELECT REPEAT('ab', 3), CONCAT_WS('-', 'a', NULL, 1), LPAD('é', 3, 'ab'), RPAD('abc', 2, ''), LPAD('a', 3, '') => ababab|a-1|abé|ab|NULL
         SELECT REPEAT('a', 70000000) => NULL
         SHOW WARNINGS => Warning|1301|Result of repeat() was larger than max_allowed_packet (67108864) - truncated
         SELECT CONCAT(REPEAT('a', 40000000), REPEAT('a', 40000000)), CONCAT_WS(REPEAT('a', 40000000), 1, 2, 3) => NULL|NULL
         SHOW WARNINGS => Warning|1301|Result of concat() was larger than max_allowed_packet (67108864) - truncated / Warning|1301|Result of concat_ws() was larger than max_allowed_packet (67108864) - truncated
         SELECT REPLACE(REPEAT('a', 10000), 'a', REPEAT('b', 10000)), LPAD('a', 9223372036854775807, 'b') => NULL|NULL
         SELECT LENGTH(CONCAT(REPEAT('a', 40), 'b')) => 41",
    );
}

#[test]
fn names_in_having_and_order_by() {
    play(&format!(
        "{SHOP}
         CREATE TABLE g (a INT, b INT)
         INSERT INTO g VALUES (1, 10), (1, 20), (2, 5) => OK 3 Records: 3  Duplicates: 0  Warnings: 0
         SELECT a, SUM(b) AS total FROM g GROUP BY a HAVING b > 1 => 1054 Unknown column 'b' in 'having clause'
         SELECT a FROM g GROUP BY a HAVING g.b > 1 => 1054 Unknown column 'g.b' in 'having clause'
         SELECT a FROM g HAVING b > 1 => 1054 Unknown column 'b' in 'having clause'
         SELECT b FROM g HAVING b > 9 => 10 / 20
         SELECT g.b FROM g HAVING g.b > 9 => 10 / 20
         SELECT a, SUM(b) AS total FROM g GROUP BY a HAVING total > 9 => 1|30
         SELECT COUNT(*) FROM g GROUP BY a HAVING a = 2 => 1
         SELECT a FROM g GROUP BY a HAVING SUM(b) > 9 AND MAX(g.b) = 20 => 1
         SELECT MAX(b) AS a FROM g GROUP BY a HAVING a = 1 => 20
         SELECT a, SUM(b) AS b FROM g GROUP BY a HAVING b = 30 => 1|30
         SELECT id FROM users WHERE EXISTS (SELECT 1 FROM g HAVING users.id = 2) => 2
         SELECT a FROM g GROUP BY a ORDER BY b => 1055 Expression #1 of ORDER BY is not in GROUP BY clause and contains nonaggregated column 'shop.g.b'
         SELECT a FROM g GROUP BY a ORDER BY MAX(b), a => 2 / 1
         SELECT a FROM g GROUP BY a ORDER BY a DESC, b + 1 => 1055 Expression #2 of ORDER BY
         SELECT COUNT(*) FROM g ORDER BY b => 3"
    ));
}

#[test]
fn foreign_keys_hold() {
    let tree = "CREATE DATABASE d
         USE d
         CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(9) UNIQUE)
         CREATE TABLE b (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES a (id) ON UPDATE CASCADE ON DELETE CASCADE)
         CREATE TABLE c (n INT, FOREIGN KEY (n) REFERENCES b (id) ON UPDATE CASCADE ON DELETE SET NULL)
         INSERT INTO a VALUES (1, 'x'), (2, 'y') => OK 2 Records: 2  Duplicates: 0  Warnings: 0
         INSERT INTO b VALUES (1), (2)
         INSERT INTO c VALUES (1), (1), (2)";
    play(&format!(
        "{tree}
         UPDATE a SET id = 7 WHERE id = 1 => OK 1 Rows matched: 1  Changed: 1  Warnings: 0
         SELECT a.id, b.id, c.n FROM a JOIN b ON a.id = b.id JOIN c ON c.n = b.id => 2|2|2 / 7|7|7 / 7|7|7
         DELETE FROM a WHERE id = 7 => OK 1
         SELECT n FROM c => NULL / NULL / 2
         CREATE TABLE e (n INT NOT NULL, FOREIGN KEY (n) REFERENCES a (id) ON DELETE SET NULL) => 1830 Column 'n' cannot be NOT NULL: needed in a foreign key constraint 'e_ibfk_1' SET NULL
         ALTER TABLE c MODIFY n INT NOT NULL => 1830 Column 'n' cannot be NOT NULL
         ALTER TABLE a ADD COLUMN x INT, DROP COLUMN id => 1829 Cannot drop column 'id': needed in a foreign key constraint 'b_ibfk_1' of table 'b'
         ALTER TABLE a ADD COLUMN x INT, CHANGE id i INT => 1235 kubonsai does not support changing a column that foreign keys refer to (mysql) yet
         ALTER TABLE a ADD COLUMN x INT, DROP PRIMARY KEY => 1553 Cannot drop index 'PRIMARY': needed in a foreign key constraint
         ALTER TABLE a ADD COLUMN x INT, DROP INDEX name
         CREATE TABLE s (id INT PRIMARY KEY, boss INT, FOREIGN KEY (boss) REFERENCES s (id) ON UPDATE CASCADE)
         INSERT INTO s VALUES (1, NULL), (2, 1)
         UPDATE s SET id = 5 WHERE id = 1 => 1451 Cannot delete or update a parent row
         UPDATE s SET id = 6 WHERE id = 2 => OK 1 Rows matched: 1  Changed: 1  Warnings: 0"
    ));
    // A parent that goes while a transaction makes a child of it, and the other way round.
    for (inside, outside) in [
        ("INSERT INTO b VALUES (3)", "DELETE FROM a WHERE id = 3"),
        ("DELETE FROM a WHERE id = 3", "INSERT INTO b VALUES (3)"),
        ("UPDATE a SET id = 4 WHERE id = 3", "INSERT INTO b VALUES (3)"),
    ] {
        let mut engine = Engine::default();
        let (mut one, mut two) = (session(8), session(9));
        engine.login_as_server(&mut one);
        engine.login_as_server(&mut two);
        play_on(&mut engine, &mut one, tree);
        play_on(&mut engine, &mut one, &format!("INSERT INTO a VALUES (3, 'z')\nBEGIN\n{inside}"));
        play_on(&mut engine, &mut two, &format!("USE d\n{outside}"));
        play_on(&mut engine, &mut one, "COMMIT => 1213 Deadlock found");
        let counts =
            "SELECT COUNT(*) FROM a WHERE id = 4 => 0\nSELECT COUNT(*) FROM b WHERE id NOT IN (SELECT id FROM a) => 0";
        play_on(&mut engine, &mut one, counts);
        // What goes together with its parent, or comes with it, is no conflict.
        play_on(
            &mut engine,
            &mut one,
            "BEGIN\nINSERT INTO a VALUES (9, 'n')\nINSERT INTO b VALUES (9)\nDELETE FROM a WHERE id = 1\nCOMMIT",
        );
        play_on(&mut engine, &mut one, "SELECT n FROM c => NULL / NULL / 2");
    }
}

#[test]
fn values_of_several_expressions_become_one_type() {
    play(
        "CREATE DATABASE d
         USE d
         SELECT 1 AS n UNION SELECT 1.5 UNION ALL SELECT 2 => 1.0 / 1.5 / 2.0
         SELECT 1 UNION SELECT 1.0 => 1.0
         SELECT 1 AS n UNION SELECT '1' UNION SELECT NULL => 1 / NULL
         SELECT 10 AS n UNION SELECT '9' ORDER BY n => 10 / 9
         SELECT 10 AS n UNION SELECT NULL UNION SELECT 9 ORDER BY n => NULL / 9 / 10
         SELECT IF(1, 1, 1.50), IFNULL(1, 2.5), COALESCE(NULL, 1, 2.25), CASE WHEN 1 THEN 1 ELSE 0.5 END => 1.00|1.0|1.00|1.0
         SELECT IF(1, 1, 1e0), IF(0, 1, 'a'), IFNULL(CURDATE(), NOW()) => 1|a|2026-11-22 00:00:00
         SELECT IF(0, NULL, 3) + 1, COALESCE(NULL, 3) => 4|3
         SELECT GREATEST(10, '9'), LEAST(2, 1.5) => 9|1.5
         SELECT IFNULL(9223372036854775807, 1.000000000000000000000000000001) > 0, CAST('9007199254740993.5' AS DECIMAL(20,1)) => 1|9007199254740993.5
         CREATE TABLE t AS SELECT IF(1, 1, 2.5) AS a, CASE WHEN 0 THEN 'x' ELSE 7 END AS b => OK 1
         INSERT INTO t VALUES (1, '7') => OK 1
         SELECT COUNT(DISTINCT a), COUNT(DISTINCT b), MAX(a) FROM t => 1|1|1.0",
    );
}

#[test]
fn operators_literals_and_settings() {
    play(&format!(
        "{SHOP}
         SELECT 1 OR 1 XOR 1, 1 XOR 1 OR 1, 1 XOR 1 AND 0 => 1|1|1
         SELECT 0x41 => 1235 kubonsai does not support hexadecimal and bit literals (mysql) yet
         SELECT x'41' => 1235 kubonsai does not support hexadecimal and bit literals
         SELECT 0b01, b'01' => 1235 kubonsai does not support hexadecimal and bit literals
         SELECT x, 0xyz FROM (SELECT 1 AS x, 2 AS 0xyz) t => 1|2
         CREATE TABLE fine (d DECIMAL(20,12) PRIMARY KEY)
         INSERT INTO fine VALUES (0.000000000001), (0.000000000002), (-1), (-0.5) => OK 4 Records: 4  Duplicates: 0  Warnings: 0
         SELECT d FROM fine => -1.000000000000 / -0.500000000000 / 0.000000000001 / 0.000000000002
         ALTER TABLE users AUTO_INCREMENT = 50
         INSERT INTO users (name) VALUES ('n') => OK 1
         DELETE FROM users WHERE id = 50 => OK 1
         ALTER TABLE users AUTO_INCREMENT = 2
         INSERT INTO users (name) VALUES ('o') => OK 1
         SELECT MAX(id) FROM users => 4
         INSERT IGNORE INTO users (name, age) VALUES ('x', 'old') => 1235 kubonsai does not support INSERT IGNORE of values that do not fit (mysql) yet: Incorrect integer value
         INSERT IGNORE INTO users (name) VALUES (NULL) => 1235 kubonsai does not support INSERT IGNORE
         INSERT IGNORE INTO orders (user_id) VALUES (99) => OK 0
         BEGIN
         INSERT INTO users (name) VALUES ('p') => OK 1
         SET @n = (SELECT COUNT(*) FROM users)
         ROLLBACK
         SELECT @n, COUNT(*) FROM users => 5|4
         SET GLOBAL autocommit = 0 => 1235 kubonsai does not support SET GLOBAL autocommit (mysql) yet
         SELECT @@autocommit, @@global.autocommit => 1|1
         SET autocommit = 0
         SELECT @@autocommit, @@global.autocommit => 0|1
         SET GLOBAL sql_log_bin = 0 => 1228 Variable 'sql_log_bin' is a SESSION variable and can't be used with SET GLOBAL
         SET GLOBAL wait_timeout = 9"
    ));
    let mut engine = Engine::default();
    let mut root = session(8);
    engine.login_as_server(&mut root);
    play_on(
        &mut engine,
        &mut root,
        &format!("{SHOP}\nSET @x = 1, autocommit = 0\nINSERT INTO users (name) VALUES ('lost')"),
    );
    root.reset();
    assert!(root.autocommit() && !root.in_transaction());
    play_on(
        &mut engine,
        &mut root,
        "SELECT @x, DATABASE(), LAST_INSERT_ID(), COUNT(*), CURRENT_USER() FROM users => NULL|shop|0|3|root@localhost",
    );
}

#[test]
fn queries_within_queries() {
    play(&format!(
        "{SHOP}
         SELECT id, (SELECT COUNT(*) FROM orders o WHERE o.user_id = u.id) FROM users u => 1|2 / 2|0 / 3|1
         SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM orders a JOIN orders b ON a.id = b.id AND a.user_id = u.id) => 1 / 3
         SELECT id FROM users u WHERE (SELECT MAX(id) FROM orders WHERE EXISTS (SELECT 1 FROM orders x WHERE x.user_id = u.id)) = 3 => 1 / 3
         SELECT id FROM users WHERE id IN (SELECT user_id FROM orders) AND id = (SELECT MIN(id) FROM users) => 1
         SELECT id IN (SELECT NULL), id IN (SELECT user_id FROM orders WHERE 0), NULL IN (SELECT 1) FROM users WHERE id = 1 => NULL|0|NULL
         UPDATE users SET age = (SELECT COUNT(*) FROM orders WHERE user_id = users.id) => OK 3 Rows matched: 3  Changed: 3  Warnings: 0
         SELECT age FROM users => 2 / 0 / 1"
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
        "CREATE USER 'app'@'%' IDENTIFIED BY 'pw'\nGRANT SELECT, INSERT ON shop.* TO 'app'@'%'\nCREATE DATABASE Shop\nCREATE USER 'app'@'%' => 1396 Operation CREATE USER failed for 'app'@'%'",
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
         USE Shop => 1044 Access denied for user 'app'@'%' to database 'Shop'
         USE shop
         SET GLOBAL wait_timeout = 9 => 1227 Access denied; you need (at least one of) the SUPER or SYSTEM_VARIABLES_ADMIN privilege(s) for this operation
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
