//! What the documents say of the source is true: every error code is listed, every test that is named exists.

#![allow(clippy::unwrap_used, reason = "test code")]

const ERRORS: &str = include_str!("../src/api/error.rs");
const CONVERSION: &str = include_str!("../src/api/error_conversion.rs");
const TABLE: &str = include_str!("../docs/errors.md");

#[test]
fn every_variant_stands_in_the_table_with_its_code() {
    let codes = ERRORS.split_once("pub fn error_code(&self)").unwrap().1;
    let mut count = 0;
    for line in codes.lines() {
        let Some((variant, code)) = line
            .trim()
            .strip_prefix("Self::")
            .and_then(|arm| arm.split_once(" => "))
        else {
            continue;
        };
        let name = variant.split(' ').next().unwrap();
        let code = code.trim_end_matches(',');
        let row = match code.parse::<u32>() {
            Ok(code) => format!("| {code} | `{name}` |"),
            Err(_) => format!("| 1000 and up | `{name}` |"),
        };
        assert!(TABLE.contains(&row), "docs/errors.md lacks {row}");
        count += 1;
    }
    assert!(count > 30, "found only {count} variants: has the source moved?");
}

#[test]
fn every_internal_code_stands_in_the_table() {
    let codes: Vec<u32> = CONVERSION
        .split("internal(")
        .filter_map(|rest| rest.split_once(')')?.0.parse().ok())
        .collect();
    assert!(
        codes.len() > 15,
        "found only {}: has the source moved?",
        codes.len()
    );
    for code in codes {
        assert!(
            TABLE.contains(&format!("| {} |", 1000 + code)),
            "docs/errors.md lacks {}",
            1000 + code
        );
    }
}

#[test]
fn the_tests_that_hold_the_laws_exist() {
    let laws = include_str!("../docs/architecture.md");
    let named: Vec<&str> = laws
        .split('`')
        .filter(|word| word.starts_with("tests/"))
        .collect();
    assert!(
        named.len() > 10,
        "found only {}: has the table moved?",
        named.len()
    );
    for path in named {
        let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(full.exists(), "docs/architecture.md names {path}");
    }
}
