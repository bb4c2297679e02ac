//! A contestant as the driver sees it: a process of its own that does what it is told.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::contestant::{from_line, to_line};

/// How a contestant is started.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) argument: Option<&'static str>,
    /// Below which its databases lie.
    pub(crate) root: PathBuf,
}

impl Start {
    pub(crate) fn new(name: &str, program: PathBuf, argument: Option<&'static str>, root: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program,
            argument,
            root: root.to_path_buf(),
        }
    }
}

pub(crate) struct Rival {
    pub(crate) start: Start,
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What one operation took.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// Nanoseconds on the clock, and of processors.
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) written: f64,
}

/// Kilobytes of the resident set, now and at its peak.
pub(crate) struct Memory {
    pub(crate) now: f64,
    pub(crate) peak: f64,
}

impl Rival {
    pub(crate) fn start(start: &Start) -> Self {
        Self::spawn(start, Command::new(&start.program))
    }

    /// As [`Self::start`], with a trace of what counts as reaching the disk.
    pub(crate) fn start_traced(start: &Start, trace: &Path) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,openat", "-o"]);
        strace.arg(trace).arg(&start.program);
        strace.env("MLS_BENCH_MARKS", "yes");
        Self::spawn(start, strace)
    }

    fn spawn(start: &Start, mut command: Command) -> Self {
        let mut child = command
            .args(start.argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            start: start.clone(),
            requests: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.start.name
    }

    pub(crate) fn ask(&mut self, verb: &str, arguments: &[&[u8]]) -> Vec<Vec<u8>> {
        let requests = self.requests.as_mut().unwrap();
        writeln!(requests, "{verb} {}", to_line(arguments)).unwrap();
        requests.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let line = line.strip_suffix('\n');
        from_line(line.unwrap_or_else(|| panic!("{} has ended in {verb}", self.start.name)))
    }

    pub(crate) fn open(&mut self, folder: &Path) {
        self.ask("open", &[bytes(folder)]);
    }

    pub(crate) fn close(&mut self) {
        self.ask("close", &[]);
    }

    pub(crate) fn time(&mut self, operation: &str, arguments: &[&[u8]]) -> Vec<Sample> {
        let arguments: Vec<&[u8]> = [operation.as_bytes()]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let answers = self.ask("time", &arguments);
        answers.iter().map(|answer| sample(answer)).collect()
    }

    pub(crate) fn memory(&mut self) -> Memory {
        let answer = self.ask("memory", &[]);
        let kilobytes = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().parse().unwrap();
        Memory {
            now: kilobytes(&answer[0]),
            peak: kilobytes(&answer[1]),
        }
    }

    pub(crate) fn end(mut self) {
        drop(self.requests.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn sample(answer: &[u8]) -> Sample {
    let mut numbers = std::str::from_utf8(answer)
        .unwrap()
        .split(' ')
        .map(|it| it.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    Sample {
        wall: next(),
        cpu: next(),
        written: next(),
    }
}

pub(crate) fn bytes(path: &Path) -> &[u8] {
    AsRef::<OsStr>::as_ref(path).as_encoded_bytes()
}

/// Puts a copy of the files of one folder into another, in place of what was there.
pub(crate) fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Bytes of the files in a folder.
pub(crate) fn size(folder: &Path) -> f64 {
    let entries = fs::read_dir(folder).unwrap();
    let bytes: u64 = entries
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    bytes as f64
}
