//! The tables and plots of docs/performance.md, made from the figures.

use std::{fmt::Write, fs, path::Path};

use crate::{
    operations::{ALL, Operation},
    plot::{Curve, svg},
    results::Results,
};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
const PLOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance");
/// Between these lines of the document nothing is written by hand.
const BEGIN: &str = "<!-- from here on by scripts/performance.sh -->\n";
const END: &str = "<!-- to here -->\n";

/// Name among the figures, name in the document, colour in the plots.
const CONTESTANTS: [(&str, &str, &str); 5] = [
    ("floor", "floor", "#888888"),
    ("ours-unsynced", "this library, no fsync", "#7fb2e5"),
    ("ours", "this library", "#1f5fa8"),
    ("mls-rs", "mls-rs + SQLite", "#c26a1e"),
    ("naive", "naive", "#a83232"),
];

pub(crate) fn write(results: &Results) {
    let mut text = String::new();
    for operation in ALL {
        table(&mut text, results, operation);
    }
    footprints(&mut text, results);
    plots(&mut text, results);
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    fs::write(DOCUMENT, format!("{before}{BEGIN}{text}{END}{after}")).unwrap();
}

fn table(text: &mut String, results: &Results, operation: Operation) {
    let members = results.members(operation.name());
    let measured =
        |members: u32, contestant: &str| results.get(members, operation.name(), contestant, "wall");
    let contestants: Vec<_> = CONTESTANTS
        .iter()
        .filter(|(name, ..)| members.iter().any(|it| measured(*it, name).is_some()))
        .collect();
    let Some(first) = contestants.first() else { return };
    let titles: Vec<&str> = contestants.iter().map(|it| it.1).collect();
    writeln!(text, "\n| {}, ms | {} |", operation.title(), titles.join(" | ")).unwrap();
    writeln!(text, "|---|{}", "---|".repeat(titles.len())).unwrap();
    for members in members {
        for (figure, suffix) in [("wall", ""), ("cpu", ", processor")] {
            let value = |name: &str| results.get(members, operation.name(), name, figure);
            let cell = |(name, ..): &&(&str, &str, &str)| match (value(name), value(first.0)) {
                (Some(it), Some(base)) if *name != first.0 => {
                    format!("{} ×{}", milliseconds(it), ratio(it / base))
                }
                (Some(it), _) => milliseconds(it),
                (None, _) => "–".to_owned(),
            };
            let cells: Vec<String> = contestants.iter().map(cell).collect();
            writeln!(text, "| {members}{suffix} | {} |", cells.join(" | ")).unwrap();
        }
    }
    for (what, cell) in [
        ("bytes written", written as fn(&Figure<'_>) -> String),
        ("fsyncs", |figure| fsyncs(figure)),
    ] {
        // Of one size each, the largest that all have.
        let shared = results.members(operation.name()).into_iter().rev();
        let Some(members) = shared.into_iter().find(|it| *it <= 1000) else {
            continue;
        };
        let cells: Vec<String> = contestants
            .iter()
            .map(|(name, ..)| cell(&|figure| results.get(members, operation.name(), name, figure)))
            .collect();
        writeln!(text, "| {what}, {members} | {} |", cells.join(" | ")).unwrap();
    }
}

type Figure<'a> = dyn Fn(&str) -> Option<f64> + 'a;

fn written(figure: &Figure<'_>) -> String {
    figure("written-mean").map_or("–".to_owned(), |it| format!("{:.1} KB", it / 1e3))
}

/// The usual count, and the largest where that differs.
pub(crate) fn fsyncs(figure: &Figure<'_>) -> String {
    match (figure("fsyncs"), figure("fsyncs-most")) {
        (Some(usual), Some(most)) if usual < most => format!("{usual}, at most {most}"),
        (Some(usual), _) => usual.to_string(),
        _ => "–".to_owned(),
    }
}

fn ratio(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn milliseconds(value: f64) -> String {
    match value {
        ..1.0 => format!("{value:.3}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn footprints(text: &mut String, results: &Results) {
    let members = results.members("footprint");
    for (figure, title, unit) in [
        ("database", "database, KB", 1e3),
        ("loaded", "memory of a loaded group, KB", 1.0),
        (
            "peak",
            "peak of the process, 100 messages after reopening, KB",
            1.0,
        ),
    ] {
        let contestants: Vec<_> = CONTESTANTS.iter().filter(|it| it.0 != "ours-unsynced").collect();
        let titles: Vec<&str> = contestants.iter().map(|it| it.1).collect();
        writeln!(text, "\n| {title} | {} |", titles.join(" | ")).unwrap();
        writeln!(text, "|---|{}", "---|".repeat(titles.len())).unwrap();
        for members in &members {
            let cells: Vec<String> = contestants
                .iter()
                .map(|it| results.get(*members, "footprint", it.0, figure))
                .map(|it| it.map_or("–".to_owned(), |it| format!("{:.0}", it / unit)))
                .collect();
            writeln!(text, "| {members} | {} |", cells.join(" | ")).unwrap();
        }
    }
}

fn plots(text: &mut String, results: &Results) {
    fs::create_dir_all(PLOTS).unwrap();
    writeln!(text).unwrap();
    let growing = [
        ("decrypt", "cpu", 1.0, "Decrypt 1 KiB, ms of processor time"),
        ("encrypt", "cpu", 1.0, "Encrypt 1 KiB, ms of processor time"),
        (
            "make-commit",
            "cpu",
            1.0,
            "Make a Commit in a filled tree, ms of processor time",
        ),
        (
            "process-commit",
            "cpu",
            1.0,
            "Process a Commit in a filled tree, ms of processor time",
        ),
        ("join", "cpu", 1.0, "Join, ms of processor time"),
        ("load", "cpu", 1.0, "Load a group, ms of processor time"),
        ("footprint", "database", 1e3, "Size of the database, KB"),
    ];
    for (what, figure, unit, title) in growing {
        let curve = |(name, title, colour): &(&str, &'static str, &'static str)| Curve {
            name: title,
            colour,
            points: results
                .members(what)
                .into_iter()
                .filter_map(|members| {
                    let value = results.get(members, what, name, figure)?;
                    Some((f64::from(members), value / unit))
                })
                .collect(),
        };
        let curves: Vec<Curve<'_>> = CONTESTANTS
            .iter()
            .map(curve)
            .filter(|it| !it.points.is_empty())
            .collect();
        if curves.is_empty() {
            continue;
        }
        fs::write(Path::new(PLOTS).join(format!("{what}.svg")), svg(title, &curves)).unwrap();
        writeln!(text, "![{title}](performance/{what}.svg)").unwrap();
    }
}
