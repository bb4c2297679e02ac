//! A device's file from outside: copied with all that is in it, or read row by row.

use std::fs;

use rusqlite::{Connection, OpenFlags, types::Value};

use super::{Device, open, template::scratch};

impl Device {
    /// The same device once more, over a copy of its files: what happens to the copy leaves the original
    /// alone.
    /// No call may be under way, so that the main file and its write-ahead log belong together.
    pub fn fork(&self) -> Self {
        let folder = scratch();
        for name in ["mls.db", "mls.db-wal"] {
            let original = self.folder.path().join(name);
            if original.exists() {
                fs::copy(original, folder.path().join(name)).unwrap();
            }
        }
        let client = open(&folder, self.key, self.validator.clone());
        Self {
            key: self.key,
            folder,
            name: self.name.clone(),
            identity: self.identity.clone(),
            client: Some(client),
            validator: self.validator.clone(),
        }
    }

    /// Every row of every table, with its row id, and the schema.
    pub fn dump(&self) -> Vec<(String, Vec<Vec<Value>>)> {
        let connection = Connection::open_with_flags(self.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut names = vec!["sqlite_schema".to_owned()];
        names.extend(
            rows(
                &connection,
                "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            )
            .into_iter()
            .map(|row| match row.into_iter().nth(1) {
                Some(Value::Text(name)) => name,
                other => panic!("{other:?}"),
            }),
        );
        names
            .into_iter()
            .map(|name| {
                let content = rows(&connection, &format!("SELECT * FROM {name} ORDER BY rowid"));
                (name, content)
            })
            .collect()
    }
}

/// The rows that `select` finds, each with its row id in front.
fn rows(connection: &Connection, select: &str) -> Vec<Vec<Value>> {
    let select = select.replacen("SELECT ", "SELECT rowid, ", 1);
    let mut statement = connection.prepare(&select).unwrap();
    let columns = statement.column_count();
    statement
        .query_map([], |row| (0..columns).map(|column| row.get(column)).collect())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}
