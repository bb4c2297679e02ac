//! Rows in which a large value of a group stands in parts.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags};

use super::Device;

/// The sealed values by group and part. A seal never looks the same twice, so what was written differs.
pub type Parts = BTreeMap<(Vec<u8>, u64), Vec<u8>>;

pub fn of(device: &Device, table: &str) -> Parts {
    let connection = Connection::open_with_flags(device.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = connection
        .prepare(&format!("SELECT group_key, part, value FROM {table}"))
        .unwrap();
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// How many rows `act` wrote or deleted.
pub fn written(device: &Device, table: &str, act: impl FnOnce()) -> usize {
    let before = of(device, table);
    act();
    let after = of(device, table);
    let gone = before.keys().filter(|part| !after.contains_key(*part)).count();
    gone + after
        .iter()
        .filter(|(part, value)| before.get(*part) != Some(value))
        .count()
}
