//! The images of databases: their servers, clients and data.

use super::*;

const WARNING: &str = "mysql: [Warning] Using a password on the command line interface can be insecure.\n";

/// A server whose environment a script sets.
fn mysql(node: &Node, variables: &str) -> (Id, std::net::Ipv4Addr) {
    let script = format!("export {variables}; exec docker-entrypoint.sh mysqld");
    let started = node.start("mysql:9", &["sh", "-c", &script], &[]);
    node.pass(Duration::from_secs(3));
    started
}

/// Statements, and what the client prints for them when it prints for a program.
const CASES: &[(&str, &str, i32)] = &[
    ("SELECT 1", "1\n1\n", 0),
    ("SELECT VERSION(), @@hostname", "VERSION()\t@@hostname\n9.7.0\tweb-1\n", 0),
    (
        "CREATE DATABASE shop; USE shop; CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL)",
        "",
        0,
    ),
    ("INSERT INTO shop.t (name) VALUES ('apple'), ('木村'); SELECT * FROM shop.t", "id\tname\n1\tapple\n2\t木村\n", 0),
    ("SELECT * FROM shop.none", "ERROR 1146 (42S02) at line 1: Table 'shop.none' doesn't exist\n", 1),
    ("USE nowhere", "ERROR 1049 (42000) at line 1: Unknown database 'nowhere'\n", 1),
    (
        "SELEC 1",
        "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'SELEC 1' at line 1\n",
        1,
    ),
    ("SELECT MD5('x')", "ERROR 1235 (42000) at line 1: kubonsai does not support the function MD5 (mysql) yet\n", 1),
];

pub(super) fn mysql_answers_its_client(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, _) = mysql(&node, "MYSQL_ROOT_PASSWORD=password");
    let log = node.log(&id);
    for part in [
        " [Note] [Entrypoint]: Entrypoint script for MySQL Server 9.7.0-1.el9 started.\n",
        " [Note] [Entrypoint]: MySQL init process done. Ready for start up.\n",
        "/usr/sbin/mysqld: ready for connections. Version: '9.7.0'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  ",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    for (sql, expected, code) in CASES {
        // The warning comes before an error, and after what goes to the other output.
        let expected = if *code == 0 { format!("{expected}{WARNING}") } else { format!("{WARNING}{expected}") };
        assert_eq!(node.exec(&id, &["mysql", "-ppassword", "-e", sql]), (expected, *code), "{sql}");
    }
    // What lies deep or is long is refused before the stack ends. Each query here has as many tables as there may be.
    let tables = |first: &str| {
        let more: String = (0..60).map(|n| format!(" JOIN (SELECT 1 AS n) t{n} ON t{n}.n = 1")).collect();
        format!("SELECT 1 AS n FROM {first}{more}")
    };
    let joins = (0..3).fold(tables("(SELECT 1 AS n) t"), |inner, _| tables(&format!("({inner}) t")));
    for sql in [
        joins,
        format!("SELECT {}1{}", "(".repeat(38), ")".repeat(38)),
        format!("SELECT 1{}", "+0".repeat(249)),
        format!("SELECT 1 WHERE 1=1{}", " OR 1=0".repeat(100)),
    ] {
        assert_eq!(node.exec(&id, &["mysql", "-ppassword", "-Ne", &sql]), (format!("1\n{WARNING}"), 0), "{sql}");
    }
    let deep = format!("SELECT {}1{}", "(".repeat(9_000), ")".repeat(9_000));
    let (out, code) = node.exec(&id, &["mysql", "-ppassword", "-Ne", &deep]);
    assert!(
        out.contains("ERROR 1235 (42000) at line 1: kubonsai does not support more than 40 levels") && code == 1,
        "{out}"
    );
    let denied = "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)\n";
    assert_eq!(node.exec(&id, &["mysql", "-e", "SELECT 1"]), (denied.to_owned(), 1));
    assert_eq!(node.exec(&id, &["mysqladmin", "ping"]), ("mysqld is alive\n".to_owned(), 0));
    let unreached = "ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1:7' (111)\n";
    assert_eq!(node.exec(&id, &["mysql", "-h", "127.0.0.1", "-P7"]), (unreached.to_owned(), 1));
    let (out, _) = node.exec(&id, &["mysql", "-ppassword", "-t", "shop", "-e", "SELECT * FROM t WHERE id = 1"]);
    assert_eq!(
        out,
        format!("+----+-------+\n| id | name  |\n+----+-------+\n|  1 | apple |\n+----+-------+\n{WARNING}")
    );
    let steps = node.sim.steps();
    node.pass(Duration::from_secs(600));
    assert!(node.sim.steps() - steps < 20, "an idle server costs nothing");
}

pub(super) fn mysql_keeps_its_data_and_has_accounts(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, _) = node.start("mysql:9", &[], &[]);
    node.pass(Duration::from_secs(2));
    assert_eq!(node.runtime.container_status(&id).unwrap().exit_code, 1);
    let log = node.log(&id);
    let told = " [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n";
    assert!(log.ends_with(told), "{log}");

    // A script that fails ends the first start, and the next one takes the data for made.
    let folder = "/docker-entrypoint-initdb.d";
    let twice = format!(
        "export MYSQL_ROOT_PASSWORD=p; mkdir -p {folder}; echo 'SELEC 1;' > {folder}/a.sql; docker-entrypoint.sh mysqld; echo \"code $?\"; exec docker-entrypoint.sh mysqld"
    );
    let (id, _) = node.start("mysql:9", &["sh", "-c", &twice], &[]);
    node.pass(Duration::from_secs(5));
    let log = node.log(&id);
    assert!(log.contains("ERROR 1064 (42000) at line 1: ") && log.contains("\ncode 1\n"), "{log}");
    assert!(log.contains("ready for connections") && !log.contains("init process done"), "{log}");
    assert_eq!(log.matches("Initializing database files").count(), 1, "{log}");
    node.run(node.runtime.stop_container(&id, Duration::from_secs(30)));

    let variables = "MYSQL_ALLOW_EMPTY_PASSWORD=1 MYSQL_DATABASE=shop MYSQL_USER=app MYSQL_PASSWORD=pw";
    let (id, ip) = mysql(&node, variables);
    let mut session = node.runtime.exec(&id, vec!["mysql".into(), "-uapp".into(), "-p".into()], true, true).unwrap();
    let mut input = session.stdin.take().unwrap();
    let sim = node.sim.clone();
    let (screen, code) = node.run(async move {
        let typing = async {
            let lines = [
                "pw\r",
                "use shop\r",
                "create table t (n int);\r",
                "insert into t\r",
                "values (1), (2);\r",
                "select * from t;\r",
                "drop database mysql;\r",
                "select * from t where n > 2;\r",
                "exit\r",
            ];
            for keys in lines {
                sim.sleep(Duration::from_secs(1)).await;
                input.write(Bytes::copy_from_slice(keys.as_bytes())).await;
            }
        };
        let ((), screen, code) = futures_util::join!(typing, session.stdout.collect::<Vec<Bytes>>(), session.exit);
        (screen.concat(), code)
    });
    let screen = String::from_utf8(screen).unwrap().replace("\r\n", "\n");
    let screen: String = screen
        .split_inclusive('\n')
        .map(|line| match line.find(" sec)") {
            Some(at) => format!("{}(0.00{}", &line[..line.rfind('(').unwrap_or(at)], &line[at..]),
            None => line.to_owned(),
        })
        .collect();
    let expected = "Enter password: \nWelcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is 8\nServer version: 9.7.0 stand-in for MySQL Community Server\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\nmysql> use shop\nDatabase changed\nmysql> create table t (n int);\nQuery OK, 0 rows affected (0.00 sec)\n\nmysql> insert into t\n    -> values (1), (2);\nQuery OK, 2 rows affected (0.00 sec)\nRecords: 2  Duplicates: 0  Warnings: 0\n\nmysql> select * from t;\n+------+\n| n    |\n+------+\n|    1 |\n|    2 |\n+------+\n2 rows in set (0.00 sec)\n\nmysql> drop database mysql;\nERROR 1044 (42000): Access denied for user 'app'@'%' to database 'mysql'\nmysql> select * from t where n > 2;\nEmpty set (0.00 sec)\n\nmysql> exit\nBye\n";
    assert_eq!((screen.as_str(), code), (expected, 0));

    // Another pod sees the address that it comes from.
    let (client, _) = node.start("mysql:9", &["sleep", "1000"], &[]);
    let (out, code) = node.exec(&client, &["mysql", "-h", &ip.to_string(), "-uapp", "-pwrong", "-e", "SELECT 1"]);
    assert!(out.contains("ERROR 1045 (28000): Access denied for user 'app'@'10.244.0.") && code == 1, "{out}");
    let (out, code) =
        node.exec(&client, &["mysql", "-h", &ip.to_string(), "-uapp", "-ppw", "shop", "-Ne", "SELECT COUNT(*) FROM t"]);
    assert_eq!((out.as_str(), code), (format!("2\n{WARNING}").as_str(), 0));

    // A second server on the same files, after the first has ended.
    let second = "mysqld --datadir=/copy --port=7000 2> /log & sleep 1; mysql -h 127.0.0.1 -P 7000 -Ne 'SELECT SUM(n) FROM shop.t'; kill %1 2> /dev/null; tail -1 /log";
    let (out, _) = node.exec(&id, &["sh", "-c", &format!("cp -r /var/lib/mysql /copy; {second}")]);
    assert!(out.starts_with("3\n"), "{out}");
    node.run(node.runtime.stop_container(&id, Duration::from_secs(30)));
    assert_eq!(node.runtime.container_status(&id).unwrap().exit_code, 0);
    assert!(node.log(&id).ends_with("[MY-015016] [Server] MySQL Server - end.\n"), "{}", node.log(&id));
}
