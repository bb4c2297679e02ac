//! What the app may log: verbs, counts and codes. No identifier, key, plaintext or dependency text can be said here,
//! because a line has no field that could hold one.

use std::sync::Arc;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

/// Where lines go.
pub(crate) trait Sink: Send + Sync {
    fn write(&self, level: Level, event: &'static str, fields: &[(&'static str, u64)]);
}

/// The app's sink, if it gave one.
#[derive(Clone, Default)]
pub(crate) struct Log(Option<Arc<dyn Sink>>);

impl Log {
    pub(crate) fn new(sink: Option<Arc<dyn Sink>>) -> Self {
        Self(sink)
    }

    pub(crate) fn event(&self, level: Level, event: &'static str, fields: &[(&'static str, u64)]) {
        if let Some(sink) = &self.0 {
            sink.write(level, event, fields);
        }
    }
}
