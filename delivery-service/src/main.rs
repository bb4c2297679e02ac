//! A delivery service for MLS (RFC 9420): devices, key packages, one Commit an epoch, queues.
//!
//! ```text
//! server       sockets, TLS, limits on connections
//!   app        places; rates, tokens and bodies before any handler
//!     routes   read, check, ask the store, answer
//!       store  the only place with SQL: one call, one transaction
//! ```
//!
//! Every instance is stateless: what must hold is held by the database. `README.md` says how to run it.

mod app;
mod arguments;
mod auth;
mod body;
mod limits;
mod metrics;
mod mls;
mod problem;
mod routes;
mod server;
mod store;
mod wake;

use std::{
    io::Write as _,
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, routing::get};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{app::App, arguments::Arguments, server::Server, wake::Told};

/// Seconds since 1970, or a number of them.
type Time = i64;

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::try_from(since.as_secs()).unwrap_or(Time::MAX)
}

/// A line for the log: what happened, never to whom.
fn report(line: &str) {
    // There is nowhere to report that the log is gone.
    let _ = writeln!(std::io::stderr(), "mls-delivery-service: {line}");
}

fn main() -> ExitCode {
    let database = std::env::var_os(arguments::DATABASE_VARIABLE);
    let arguments = match arguments::parse(std::env::args().skip(1), database) {
        Ok(arguments) => arguments,
        Err(error) => {
            report(&error);
            return ExitCode::FAILURE;
        }
    };
    if arguments.help {
        let _ = write!(std::io::stdout(), "{}", arguments::HELP);
        return ExitCode::SUCCESS;
    }
    match tokio::runtime::Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(run(arguments)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let tls = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(server::tls(certificate, key)?),
        _ => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let app = App::open(&arguments)
        .await
        .map_err(|error| format!("the database cannot be used: {error}"))?;
    if arguments.on_postgres() {
        let told = Told::connect(&arguments.database)
            .await
            .map_err(|error| format!("PostgreSQL does not notify: {error}"))?;
        tokio::spawn(app.wake.clone().follow(told, arguments.database.clone()));
    }
    tokio::spawn(sweep(app.clone(), arguments.keep_days * 86400));
    let (stop, stopping) = watch::channel(false);
    if let Some(address) = arguments.metrics {
        let listener = server::bind(address).await?;
        let inside = Router::new()
            .route("/metrics", get(routes::operations::metrics))
            .with_state(app.clone());
        tokio::spawn(Server::new(&arguments, app.clone(), inside, None, stopping.clone()).run(listener));
    }
    let listener = server::bind(arguments.listen).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    // Whoever has started it with port 0 reads the address here.
    let _ = writeln!(std::io::stdout(), "listening on {scheme}://{address}");
    let server = Server::new(&arguments, app.clone(), app::router(app), tls, stopping);
    let serving = tokio::spawn(server.run(listener));
    ended().await;
    let _ = stop.send(true);
    serving.await.map_err(|error| error.to_string())
}

/// Until the system or somebody at the keyboard ends it.
async fn ended() {
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Then it is ended as any process is, and nothing is lost.
        _ => std::future::pending().await,
    }
}

/// Every instance does it; once is enough, twice does no harm.
async fn sweep(app: Arc<App>, keep: Time) {
    loop {
        // A failure was reported, and the next one may succeed.
        let _ = app.store.sweep(now(), keep).await;
        tokio::time::sleep(Duration::from_secs(300)).await;
    }
}
