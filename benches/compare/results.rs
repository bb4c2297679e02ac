//! Figures, and the file that keeps them, so that a run of some operations replaces only those.

use std::{collections::BTreeMap, fs, path::Path};

use crate::rival::Sample;

/// Members, what, contestant.
type Key = (u32, String, String);
/// Name and value.
pub(crate) type Figures = BTreeMap<String, f64>;

#[derive(Default)]
pub(crate) struct Results(BTreeMap<Key, Figures>);

/// In a file: a line for each key, the figures as `name=value`.
impl Results {
    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        Self(text.lines().map(row).collect())
    }

    pub(crate) fn write(&self, file: &Path) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let line = |((members, what, contestant), figures): (&Key, &Figures)| {
            let figures: Vec<String> = figures.iter().map(|(name, it)| format!("{name}={it}")).collect();
            format!("{members}\t{what}\t{contestant}\t{}\n", figures.join("\t"))
        };
        fs::write(file, self.0.iter().map(line).collect::<String>()).unwrap();
    }

    pub(crate) fn set(&mut self, members: u32, what: &str, contestant: &str, figures: Figures) {
        self.0
            .insert((members, what.to_owned(), contestant.to_owned()), figures);
    }

    pub(crate) fn get(&self, members: u32, what: &str, contestant: &str, figure: &str) -> Option<f64> {
        let key = (members, what.to_owned(), contestant.to_owned());
        self.0.get(&key)?.get(figure).copied()
    }

    /// For how many members there is anything about this.
    pub(crate) fn members(&self, what: &str) -> Vec<u32> {
        let mut members: Vec<u32> = self.0.keys().filter(|it| it.1 == what).map(|it| it.0).collect();
        members.dedup();
        members
    }
}

fn row(line: &str) -> (Key, Figures) {
    let mut words = line.split('\t');
    let mut next = || words.next().unwrap().to_owned();
    let key = (next().parse().unwrap(), next(), next());
    let figures = words.map(|word| {
        let (name, value) = word.split_once('=').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    (key, figures.collect())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn summary(samples: &[Sample], fsyncs: Option<&Vec<u32>>) -> Figures {
    let all = |get: fn(&Sample) -> f64| samples.iter().map(get).collect::<Vec<_>>();
    let milliseconds = 1e-6;
    let wall = all(|it| it.wall * 1e-6);
    let written = all(|it| it.written);
    let mut figures = Figures::from([
        ("wall".to_owned(), median(wall.clone())),
        (
            "least".to_owned(),
            wall.iter().copied().fold(f64::INFINITY, f64::min),
        ),
        ("cpu".to_owned(), median(all(|it| it.cpu)) * milliseconds),
        ("written".to_owned(), median(written.clone())),
        (
            "written-mean".to_owned(),
            written.iter().sum::<f64>() / written.len() as f64,
        ),
        ("samples".to_owned(), samples.len() as f64),
    ]);
    if let Some(fsyncs) = fsyncs.filter(|it| !it.is_empty()) {
        let counts: Vec<f64> = fsyncs.iter().copied().map(f64::from).collect();
        figures.insert(
            "fsyncs-most".to_owned(),
            counts.iter().copied().fold(0.0, f64::max),
        );
        figures.insert("fsyncs".to_owned(), median(counts));
    }
    figures
}
