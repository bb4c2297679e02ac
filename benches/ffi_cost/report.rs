//! The tables of docs/performance.md, made from the lines of all rounds.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
/// Between these lines of the document nothing is written by hand.
const BEGIN: &str = "<!-- from here on by scripts/ffi-cost.sh -->\n";
const END: &str = "<!-- to here by scripts/ffi-cost.sh -->\n";

const CONTESTANTS: [(&str, &str); 5] = [
    ("rust", "Rust"),
    ("swift-generated", "Swift, generated"),
    ("swift-layer", "Swift, layer"),
    ("kotlin-generated", "Kotlin, generated"),
    ("kotlin-layer", "Kotlin, layer"),
];

const CALLS: [(&str, &str); 7] = [
    ("id", "`id`"),
    ("info-small", "`message_info`, 1 KiB"),
    ("create-small", "`create_message`, 1 KiB"),
    ("process-small", "`process_message`, 1 KiB"),
    ("info-large", "`message_info`, 1 MiB"),
    ("create-large", "`create_message`, 1 MiB"),
    ("process-large", "`process_message`, 1 MiB"),
];

/// A time, and what it is more than Rust's.
type Value = fn(&Figures, &str, &str) -> Option<(f64, f64)>;

/// By contestant, call and figure: a value for each round.
struct Figures(BTreeMap<(String, String, String), BTreeMap<u32, f64>>);

impl Figures {
    fn read(file: &Path) -> Self {
        let mut figures: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for line in fs::read_to_string(file).unwrap().lines() {
            let [round, contestant, call, figure, value] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            figures
                .entry((contestant.to_owned(), call.to_owned(), figure.to_owned()))
                .or_default()
                .insert(round.parse().unwrap(), value.parse().unwrap());
        }
        Self(figures)
    }

    fn rounds(&self, contestant: &str, call: &str, figure: &str) -> Option<&BTreeMap<u32, f64>> {
        let key = (contestant.to_owned(), call.to_owned(), figure.to_owned());
        self.0.get(&key)
    }

    /// The median round, and what Rust took less, in the same round each.
    fn median(&self, contestant: &str, call: &str) -> Option<(f64, f64)> {
        let rounds = self.rounds(contestant, call, "median")?;
        let rust = self.rounds("rust", call, "median")?;
        let more = rounds.iter().map(|(round, time)| time - rust[round]);
        Some((middle(rounds.values().copied()), middle(more)))
    }

    /// The least of all rounds, and what the least of Rust is less.
    fn least(&self, contestant: &str, call: &str) -> Option<(f64, f64)> {
        let least = |contestant: &str| {
            let rounds = self.rounds(contestant, call, "least")?;
            rounds.values().copied().reduce(f64::min)
        };
        let time = least(contestant)?;
        Some((time, time - least("rust")?))
    }
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn write(file: &Path) {
    let figures = Figures::read(file);
    let mut text = times(&figures);
    allocated(&mut text, &figures);
    println!("{text}");
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    fs::write(DOCUMENT, format!("{before}{BEGIN}{text}{END}{after}")).unwrap();
}

fn times(figures: &Figures) -> String {
    let titles = CONTESTANTS.map(|it| it.1).join(" | ");
    let mut text = format!("\n| µs, and more than Rust | {titles} |\n|---|");
    writeln!(text, "{}", "---|".repeat(CONTESTANTS.len())).unwrap();
    for (call, title) in CALLS {
        for (suffix, value) in [("", Figures::median as Value), (", least", Figures::least)] {
            let cells = CONTESTANTS.map(|(contestant, _)| match value(figures, contestant, call) {
                Some((time, _)) if contestant == "rust" => microseconds(time),
                Some((time, more)) => {
                    let sign = if more < 0.0 { "−" } else { "+" };
                    let ratio = time / (time - more);
                    let (time, more) = (microseconds(time), microseconds(more.abs()));
                    format!("{time} {sign}{more} ×{ratio:.2}")
                }
                None => "–".to_owned(),
            });
            writeln!(text, "| {title}{suffix} | {} |", cells.join(" | ")).unwrap();
        }
    }
    text
}

fn allocated(text: &mut String, figures: &Figures) {
    let kotlin = &CONTESTANTS[3..];
    let titles: Vec<&str> = kotlin.iter().map(|it| it.1).collect();
    writeln!(
        text,
        "\n| KB that the JVM allocates a call | {} |",
        titles.join(" | ")
    )
    .unwrap();
    writeln!(text, "|---|{}", "---|".repeat(kotlin.len())).unwrap();
    for (call, title) in CALLS {
        let cells: Vec<String> = kotlin
            .iter()
            .map(|(contestant, _)| figures.rounds(contestant, call, "allocated"))
            .map(|it| it.map(|rounds| middle(rounds.values().copied())))
            .map(|it| it.map_or("–".to_owned(), |bytes| format!("{:.1}", bytes / 1e3)))
            .collect();
        writeln!(text, "| {title} | {} |", cells.join(" | ")).unwrap();
    }
}

fn microseconds(nanoseconds: f64) -> String {
    let value = nanoseconds / 1e3;
    match value {
        ..1.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
