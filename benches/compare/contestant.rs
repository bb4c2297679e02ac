//! What each library that is compared can do, and how it obeys the driver: a request a line comes in, an answer a line
//! goes out. Every operation is timed inside its own process, so that the pipe costs nothing.

use std::{
    fs,
    io::{BufRead, Write, stdin, stdout},
    path::{Path, PathBuf},
    time::Instant,
};

use cpu_time::ProcessTime;

/// Opening a file below this folder, which does not exist, marks a place in a trace of system calls.
pub(crate) const MARK: &str = "/mls-mobile-bench/";

/// One library with one database in a folder. Groups are named by their ids.
pub(crate) trait Contestant: Sized {
    /// Whether it has a file. What has none is not opened within the time.
    const STORES: bool = true;

    /// Opens the database in the folder, or makes one.
    fn open(folder: &Path) -> Self;
    /// Called once before the first operation that is timed.
    fn before_timing(&mut self) {}
    fn key_packages(&mut self, count: usize) -> Vec<Vec<u8>>;
    fn join(&mut self, welcome: &[u8]);
    /// Brings a group into memory.
    fn load(&mut self, group: &[u8]);
    /// A message or a Commit, whose effect is stored when this returns.
    fn process(&mut self, group: &[u8], message: &[u8]);
    fn encrypt(&mut self, group: &[u8], plaintext: &[u8]) -> Vec<u8>;
    /// Makes a Commit that renews the own keys, and stores it.
    fn commit(&mut self, group: &[u8]) -> Vec<u8>;
    fn merge(&mut self, group: &[u8]);
    fn clear(&mut self, group: &[u8]);
    /// Messages of several groups, stored together where that is possible.
    fn catch_up(&mut self, messages: Vec<(Vec<u8>, Vec<u8>)>);
    /// Puts everything into the file.
    fn close(self) {}
}

/// One operation.
struct Sample {
    wall: u128,
    /// Of all threads.
    cpu: u128,
    /// Bytes that went through write calls.
    written: u64,
}

fn number_after(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or_default()
}

fn written() -> u64 {
    number_after("/proc/self/io", "wchar:")
}

fn mark(name: &str) {
    assert!(fs::File::open(format!("{MARK}{name}")).is_err());
}

/// Serves one process's requests.
struct Server<C> {
    contestant: Option<C>,
    timing: bool,
    marks: bool,
    samples: Vec<Sample>,
}

impl<C: Contestant> Server<C> {
    fn current(&mut self) -> &mut C {
        self.contestant.as_mut().unwrap()
    }

    fn open(&mut self, folder: &Path) {
        self.contestant = Some(C::open(folder));
        self.timing = false;
    }

    fn measure<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        if self.contestant.is_some() && !self.timing {
            self.timing = true;
            self.current().before_timing();
        }
        if self.marks {
            mark("on");
        }
        let (written_before, cpu_before, start) = (written(), ProcessTime::now(), Instant::now());
        let result = run(self);
        let (wall, cpu) = (start.elapsed().as_nanos(), cpu_before.elapsed().as_nanos());
        let written = written() - written_before;
        if self.marks {
            mark("off");
        }
        self.samples.push(Sample { wall, cpu, written });
        result
    }

    fn time(&mut self, operation: &str, arguments: &[Vec<u8>]) {
        match (operation, arguments) {
            ("open", [folder]) => {
                let folder = path(folder);
                self.contestant = None;
                self.measure(|it| it.open(&folder));
            }
            ("load", [group]) => self.measure(|it| it.current().load(group)),
            ("join", [welcome]) => self.measure(|it| it.current().join(welcome)),
            ("process", [group, messages @ ..]) => {
                for message in messages {
                    self.measure(|it| it.current().process(group, message));
                }
            }
            ("encrypt", [group, count]) => {
                let plaintext = [7; 1024];
                for _ in 0..number(count) {
                    self.measure(|it| it.current().encrypt(group, &plaintext));
                }
            }
            ("commit", [group, count]) => {
                for _ in 0..number(count) {
                    self.measure(|it| it.current().commit(group));
                    self.current().clear(group);
                }
            }
            ("key_packages", [count]) => {
                self.measure(|it| it.current().key_packages(number(count)));
            }
            ("catch_up", [folder, messages @ ..]) => {
                let folder = path(folder);
                let messages: Vec<_> = messages
                    .chunks(2)
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .collect();
                if C::STORES {
                    self.contestant = None;
                } else {
                    self.open(&folder);
                    for (group, _) in &messages {
                        self.current().load(group);
                    }
                }
                self.measure(|it| {
                    if C::STORES {
                        it.open(&folder);
                    }
                    it.current().catch_up(messages);
                });
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, verb: &str, arguments: &[Vec<u8>]) -> Vec<Vec<u8>> {
        match (verb, arguments) {
            ("open", [folder]) => self.open(&path(folder)),
            ("close", []) => {
                if let Some(contestant) = self.contestant.take() {
                    contestant.close();
                }
            }
            ("key_packages", [count]) => return self.current().key_packages(number(count)),
            ("join", [welcome]) => self.current().join(welcome),
            ("load", [group]) => self.current().load(group),
            ("process", [group, messages @ ..]) => {
                for message in messages {
                    self.current().process(group, message);
                }
            }
            ("update", [group]) => {
                let commit = self.current().commit(group);
                self.current().merge(group);
                return vec![commit];
            }
            ("time", [operation, arguments @ ..]) => {
                self.time(std::str::from_utf8(operation).unwrap(), arguments);
                let text = |Sample { wall, cpu, written }| format!("{wall} {cpu} {written}").into_bytes();
                return self.samples.drain(..).map(text).collect();
            }
            ("memory", []) => {
                let kilobytes = |name| number_after("/proc/self/status", name).to_string().into_bytes();
                return vec![kilobytes("VmRSS:"), kilobytes("VmHWM:")];
            }
            other => panic!("{other:?}"),
        }
        Vec::new()
    }
}

fn number(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::str::from_utf8(bytes).unwrap())
}

/// Answers requests until there are no more.
pub(crate) fn serve<C: Contestant>() {
    let mut server = Server::<C> {
        contestant: None,
        timing: false,
        marks: std::env::var_os("MLS_BENCH_MARKS").is_some(),
        samples: Vec::new(),
    };
    for line in stdin().lock().lines() {
        let line = line.unwrap();
        let (verb, arguments) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = server.answer(verb, &from_line(arguments));
        let mut out = stdout().lock();
        writeln!(out, "{}", to_line(&answer)).unwrap();
        out.flush().unwrap();
    }
}

/// Byte strings as one line: hexadecimal, separated by spaces.
pub(crate) fn to_line(parts: &[impl AsRef<[u8]>]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut line = String::new();
    for part in parts {
        for byte in part.as_ref() {
            line.push(char::from(DIGITS[usize::from(byte >> 4)]));
            line.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        line.push(' ');
    }
    line
}

pub(crate) fn from_line(line: &str) -> Vec<Vec<u8>> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    let part = |word: &str| {
        word.as_bytes()
            .chunks(2)
            .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
            .collect()
    };
    line.strip_suffix(' ')
        .map(|line| line.split(' ').map(part).collect())
        .unwrap_or_default()
}
