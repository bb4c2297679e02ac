//! Child processes for tests: the test executable starts itself with one ignored test as the child's main
//! function.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child as Process, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// How long a child may be silent before the test fails: far more than any call takes, so it means a
/// deadlock.
const PATIENCE: Duration = Duration::from_secs(90);
/// Tells the lines of [`say`] from those of the test runner.
const MARK: &str = "@child ";

/// A running child, killed when it is dropped.
pub struct Child {
    process: Process,
    lines: Receiver<String>,
}

impl Child {
    /// Starts the ignored test `test` of this executable with `arguments` as environment variables.
    pub fn start(test: &str, arguments: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .envs(arguments.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix(MARK) {
                    // The parent may have lost interest.
                    drop(sender.send(said.to_owned()));
                }
            }
        });
        Self { process, lines }
    }

    /// The next line that the child says.
    pub fn hear(&self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => panic!("the child is silent"),
            Err(RecvTimeoutError::Disconnected) => panic!("the child ended too early"),
        }
    }

    /// Lets the child's [`wait`] return.
    pub fn release(&mut self) {
        let input = self.process.stdin.as_mut().unwrap();
        input.write_all(b"go\n").unwrap();
        input.flush().unwrap();
    }

    /// Ends it as the operating system ends an app: without a word.
    pub fn kill(mut self) {
        self.end();
    }

    /// Waits until it has ended by itself, without an error.
    pub fn finish(mut self) {
        assert!(self.process.wait().unwrap().success());
    }

    fn end(&mut self) {
        // It may have ended already; then there is nothing to kill.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// In the child: an argument, absent when somebody runs the ignored test by hand.
pub fn argument(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// In the child: tells the parent. The line break before it ends the line of the test runner.
pub fn say(text: &str) {
    let mut output = std::io::stdout();
    output.write_all(format!("\n{MARK}{text}\n").as_bytes()).unwrap();
    output.flush().unwrap();
}

/// In the child: waits for [`Child::release`].
pub fn wait() {
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}
