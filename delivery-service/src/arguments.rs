//! The command line. Everything has a default: the service starts with none.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use crate::{Time, limits};

pub(crate) const HELP: &str = "\
A delivery service for MLS (RFC 9420).

Usage: mls-delivery-service [OPTIONS]

Options:
  --listen ADDRESS          where to answer (127.0.0.1:8480; port 0 takes a free one, which is printed)
  --database URL            sqlite:FILE, which is created, or postgres://… (sqlite:delivery.db); without it the variable
                            MLS_DELIVERY_DATABASE counts, where nobody else sees a password
  --connections N           connections to PostgreSQL (16)
  --tls-certificate FILE    a chain in PEM; with --tls-key, answers HTTPS
  --tls-key FILE            its private key in PEM
  --metrics ADDRESS         answers GET /metrics there, for Prometheus; keep it inside
  --clients N               connections of clients at once (4096)
  --clients-per-address N   of these from one address (1024); raise it behind a proxy
  --rate N                  requests a second of a device, four times as many at once (50)
  --stranger-rate N         the same of an address, without a token (20); raise it behind a proxy
  --queue N                 messages that wait for one device (10000); it misses the rest, and is told
  --keep-days N             how long messages wait (30)
  --token-days N            how long a token lasts (90)
  --longest-wait N          seconds that a request waits for messages, 1 to 60; below what a proxy allows (60)
  --help                    print this
";

#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) help: bool,
    pub(crate) listen: SocketAddr,
    pub(crate) database: String,
    pub(crate) connections: u32,
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) clients: usize,
    pub(crate) clients_per_address: usize,
    pub(crate) rate: u32,
    pub(crate) stranger_rate: u32,
    pub(crate) queue: i64,
    pub(crate) keep_days: Time,
    pub(crate) token_days: Time,
    pub(crate) longest_wait: u32,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            help: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 8480)),
            database: "sqlite:delivery.db?mode=rwc".to_owned(),
            connections: 16,
            tls_certificate: None,
            tls_key: None,
            metrics: None,
            clients: 4096,
            clients_per_address: 1024,
            rate: 50,
            stranger_rate: 20,
            queue: 10_000,
            keep_days: 30,
            token_days: 90,
            longest_wait: limits::LONGEST_WAIT,
        }
    }
}

impl Arguments {
    pub(crate) fn on_postgres(&self) -> bool {
        self.database.starts_with("postgres:") || self.database.starts_with("postgresql:")
    }
}

/// Names the database, with its password, without anybody seeing it in the list of processes.
pub(crate) const DATABASE_VARIABLE: &str = "MLS_DELIVERY_DATABASE";

pub(crate) fn parse(
    mut words: impl Iterator<Item = String>,
    database_variable: Option<OsString>,
) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    if let Some(url) = database_variable {
        let url = url
            .into_string()
            .map_err(|_| format!("{DATABASE_VARIABLE} is not text"))?;
        arguments.database = database(DATABASE_VARIABLE, &url)?;
    }
    while let Some(word) = words.next() {
        if word == "--help" || word == "-h" {
            arguments.help = true;
            continue;
        }
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--listen" => arguments.listen = read(&word, &value()?)?,
            "--database" => arguments.database = database(&word, &value()?)?,
            "--connections" => arguments.connections = positive(&word, &value()?)?,
            "--tls-certificate" => arguments.tls_certificate = Some(value()?.into()),
            "--tls-key" => arguments.tls_key = Some(value()?.into()),
            "--metrics" => arguments.metrics = Some(read(&word, &value()?)?),
            "--clients" => arguments.clients = positive(&word, &value()?)?,
            "--clients-per-address" => arguments.clients_per_address = positive(&word, &value()?)?,
            "--rate" => arguments.rate = positive(&word, &value()?)?,
            "--stranger-rate" => arguments.stranger_rate = positive(&word, &value()?)?,
            "--queue" => arguments.queue = i64::from(positive::<u32>(&word, &value()?)?),
            "--keep-days" => arguments.keep_days = days(&word, &value()?)?,
            "--token-days" => arguments.token_days = days(&word, &value()?)?,
            "--longest-wait" => arguments.longest_wait = wait(&word, &value()?)?,
            other => {
                return Err(format!(
                    "unknown argument {other:?}; --help lists those that there are"
                ));
            }
        }
    }
    if arguments.tls_certificate.is_some() != arguments.tls_key.is_some() {
        return Err("--tls-certificate and --tls-key go together".to_owned());
    }
    Ok(arguments)
}

/// What is wrong with it may hold a password, and is not repeated.
fn database(name: &str, url: &str) -> Result<String, String> {
    let known = ["sqlite:", "postgres:", "postgresql:"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        return Err(format!("{name} takes sqlite:FILE or postgres://…"));
    }
    // SQLx opens a file, and creates one only if it is told so.
    let creates = if url.starts_with("sqlite:") && !url.contains('?') {
        "?mode=rwc"
    } else {
        ""
    };
    Ok(format!("{url}{creates}"))
}

fn read<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name} does not take {value:?}"))
}

fn positive<T: std::str::FromStr + Default + PartialEq>(name: &str, value: &str) -> Result<T, String> {
    let number = read(name, value)?;
    if number == T::default() {
        Err(format!("{name} does not take 0"))
    } else {
        Ok(number)
    }
}

/// A number of days that seconds can be counted of.
fn days(name: &str, value: &str) -> Result<Time, String> {
    match read(name, value)? {
        days @ 1..=36_500 => Ok(days),
        _ => Err(format!("{name} takes 1 to 36500")),
    }
}

fn wait(name: &str, value: &str) -> Result<u32, String> {
    match read(name, value)? {
        seconds @ 1..=limits::LONGEST_WAIT => Ok(seconds),
        _ => Err(format!("{name} takes 1 to {}", limits::LONGEST_WAIT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Arguments, String> {
        parse(words.split_whitespace().map(str::to_owned), None)
    }

    fn parsed_with(database: &str, words: &str) -> Result<Arguments, String> {
        parse(words.split_whitespace().map(str::to_owned), Some(database.into()))
    }

    #[test]
    fn without_arguments_it_is_an_embedded_database_on_this_machine_only() {
        let arguments = parsed("").unwrap();
        assert!(arguments.listen.ip().is_loopback() && !arguments.on_postgres());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [
            "--listen",
            "--listen here",
            "--rate 0",
            "--queue -1",
            "--database mysql://host",
            "--tls-key key.pem",
            "--keep-days 0",
            "--keep-days 36501",
            "--what",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }

    #[test]
    fn the_environment_names_the_database_as_the_argument_does_and_the_argument_counts_more() {
        for url in ["sqlite:here.db", "postgres://user:secret@host/name"] {
            let named = parsed_with(url, "--listen 0.0.0.0:80").unwrap().database;
            assert_eq!(named, parsed(&format!("--database {url}")).unwrap().database);
        }
        let both = parsed_with("sqlite:here.db", "--database sqlite:there.db").unwrap();
        assert!(both.database.starts_with("sqlite:there.db"));
        for wrong in ["", "mysql://user:secret@host"] {
            let error = parsed_with(wrong, "").unwrap_err();
            assert!(
                error.contains(DATABASE_VARIABLE) && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_help_names_every_argument_that_is_read() {
        let source = include_str!("arguments.rs");
        assert!(HELP.contains(DATABASE_VARIABLE));
        let named = source
            .split("\"--")
            .skip(1)
            .filter_map(|rest| rest.split_once("\" =>").map(|(name, _)| name));
        let names: Vec<_> = named.filter(|name| !name.contains(char::is_whitespace)).collect();
        assert_eq!(names.len(), 14);
        assert!(
            names.iter().all(|name| HELP.contains(&format!("--{name} "))),
            "{names:?}"
        );
    }
}
