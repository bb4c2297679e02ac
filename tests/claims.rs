//! What the README says of platforms was seen, or is said not to have been: docs/verification.md.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::{collections::BTreeMap, fs, path::Path};

const README: &str = include_str!("../README.md");
const DELIVERY: &str = include_str!("../delivery-service/README.md");
const VERIFICATION: &str = include_str!("../docs/verification.md");

/// Words that make a line of the README's tables a claim about a platform.
const PLATFORM: [&str; 12] = [
    "iOS",
    "iPhone",
    "Apple",
    "macOS",
    "Xcode",
    "Keychain",
    "Android",
    "Keystore",
    "AAR",
    "XCFramework",
    "Swift",
    "Kotlin",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cells of the tables' rows.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("|---"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

fn verified() -> BTreeMap<&'static str, Vec<&'static str>> {
    rows(VERIFICATION)
        .filter_map(|cells| {
            let id = *cells.first()?;
            id.starts_with('V').then_some((id, cells))
        })
        .collect()
}

fn ids(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| {
            word.len() == 3 && word.starts_with('V') && word[1..].bytes().all(|b| b.is_ascii_digit())
        })
        .collect()
}

#[test]
fn every_claim_of_the_readme_about_a_platform_names_what_was_seen() {
    let verified = verified();
    let mut claims = 0;
    for cells in rows(README) {
        let line = cells.join(" | ");
        if !PLATFORM.iter().any(|word| line.contains(word)) {
            continue;
        }
        claims += 1;
        let named = ids(&line);
        assert!(
            !named.is_empty(),
            "no row of docs/verification.md is named: {line}"
        );
        for id in named {
            assert!(
                verified.contains_key(id),
                "docs/verification.md has no {id}: {line}"
            );
        }
    }
    assert!(claims >= 5, "found only {claims} claims: has the table moved?");
}

#[test]
fn every_row_says_how_in_one_of_four_ways() {
    let verified = verified();
    assert!(verified.len() > 10, "found only {} rows", verified.len());
    let workflows: String = fs::read_dir(root().join(".github/workflows"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    for (id, cells) in verified {
        let how = cells[2];
        let job = how
            .strip_prefix("workflow job ")
            .and_then(|rest| rest.strip_suffix(", not yet run"));
        match (how, job) {
            ("ran here" | "compiled here" | "parsed here", _) => {}
            (_, Some(job)) => assert!(
                workflows.contains(&format!("\n  {job}:\n")),
                "{id}: there is no job {job}"
            ),
            _ => panic!("{id}: {how}"),
        }
    }
}

#[test]
fn the_files_that_rows_name_exist() {
    let mut named = 0;
    for path in VERIFICATION.split('`').skip(1).step_by(2) {
        if path.contains('/') && !path.starts_with("./") {
            named += 1;
            assert!(root().join(path).exists(), "docs/verification.md names {path}");
        }
    }
    assert!(named > 8, "found only {named}");
}

#[test]
fn the_readmes_swift_and_kotlin_are_code_that_the_tests_compile() {
    for (readme, least) in [(README, 4), (DELIVERY, 6)] {
        let blocks = compiled_blocks(readme);
        assert!(blocks >= least, "found only {blocks} blocks of Swift and Kotlin");
    }
}

/// How many there are. A block is preceded by `<!-- from FILE -->`; its lines stand in that file in a row, indented or not.
fn compiled_blocks(readme: &str) -> usize {
    let trimmed = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    };
    let mut blocks = 0;
    for part in readme.split("\n```").collect::<Vec<_>>().windows(2) {
        let [before, block] = part else { continue };
        let Some((language, code)) = block.split_once('\n') else {
            continue;
        };
        if !["swift", "kotlin"].contains(&language) {
            continue;
        }
        blocks += 1;
        let marker = before.trim_end().lines().last().unwrap_or_default();
        let file = marker
            .strip_prefix("<!-- from ")
            .and_then(|rest| rest.strip_suffix(" -->"))
            .unwrap_or_else(|| panic!("this block does not say which file it is from:\n{code}"));
        let source = trimmed(&fs::read_to_string(root().join(file)).unwrap());
        let code = trimmed(code);
        assert!(
            source.windows(code.len()).any(|lines| lines == code),
            "{file} has not these lines in a row:\n{}",
            code.join("\n")
        );
    }
    blocks
}
