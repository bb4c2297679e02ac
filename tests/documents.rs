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

/// Every file below `folder` that ends so, as one text; empty if there is none.
fn sources(folder: &str, ending: &str) -> String {
    let mut text = String::new();
    let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(next) else {
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

#[test]
fn every_scenario_is_a_test_in_swift_and_in_kotlin() {
    let ids: Vec<&str> = include_str!("scenarios.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| S")?.split_once(" |"))
        .map(|(number, _)| number)
        .collect();
    assert!(ids.len() > 30, "found only {}: has the list moved?", ids.len());
    let kotlin = sources("platforms/android", ".kt");
    let swift = sources("platforms/apple/Tests", ".swift");
    for id in ids {
        assert!(
            kotlin.contains(&format!("fun `S{id} ")),
            "Kotlin has no test S{id}"
        );
        assert!(swift.contains(&format!("S{id}_")), "Swift has no test S{id}");
    }
}

#[test]
fn every_decision_record_that_is_named_exists() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/adr");
    let records: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut named = 0;
    for (place, ending) in [
        ("src", ".rs"),
        ("tests", ".rs"),
        ("scripts", ".sh"),
        ("docs", ".md"),
        ("platforms", ".sh"),
    ] {
        let text = sources(place, ending);
        for rest in text.split("adr/").skip(1) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if number.len() == 4 {
                named += 1;
                let file = format!("{number}-");
                assert!(
                    records.iter().any(|record| record.starts_with(&file)),
                    "there is no docs/adr/{number}"
                );
            }
        }
    }
    assert!(named > 10, "found only {named}: has the form changed?");
}
