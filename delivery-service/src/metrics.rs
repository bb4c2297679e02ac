//! What Prometheus sees: counts and times by place and status, never by device or group.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use crate::app::Shared;

/// Seconds; a wait for messages is as long as its client wants, and not measured.
const BOUNDS: [f64; 7] = [0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0];
const WAITING_PLACE: &str = "/v1/queue";

#[derive(Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    times: Mutex<Times>,
    waits: Mutex<BTreeMap<Waited, u64>>,
    pub(crate) connections: AtomicUsize,
}

/// What a request that waited ended with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waited {
    /// With a message that it was told of.
    Told,
    /// With a message that it found by itself: nobody had told it.
    Looked,
    /// With nothing, because its time was over.
    InVain,
}

#[derive(Default)]
struct Times {
    below: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

pub(crate) async fn measure(State(app): Shared, request: Request, next: Next) -> Response {
    let place = request.extensions().get::<MatchedPath>();
    let place = place.map_or("other", MatchedPath::as_str).to_owned();
    let start = Instant::now();
    let response = next.run(request).await;
    app.metrics
        .count(place, response.status().as_u16(), start.elapsed());
    response
}

impl Metrics {
    fn count(&self, place: String, status: u16, time: Duration) {
        if place != WAITING_PLACE {
            let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
            let seconds = time.as_secs_f64();
            for (below, bound) in times.below.iter_mut().zip(BOUNDS) {
                *below += u64::from(seconds <= bound);
            }
            times.count += 1;
            times.sum += seconds;
        }
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((place, status)).or_default() += 1;
    }

    pub(crate) fn waited(&self, end: Waited) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        *waits.entry(end).or_default() += 1;
    }

    pub(crate) fn text(&self, waiting: usize) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut text, waiting);
        text
    }

    fn write(&self, text: &mut String, waiting: usize) -> std::fmt::Result {
        writeln!(text, "# TYPE mls_delivery_requests_total counter")?;
        for ((place, status), count) in &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            writeln!(
                text,
                "mls_delivery_requests_total{{place=\"{place}\",status=\"{status}\"}} {count}"
            )?;
        }
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(text, "# TYPE mls_delivery_request_seconds histogram")?;
        for (below, bound) in times.below.iter().zip(BOUNDS) {
            writeln!(
                text,
                "mls_delivery_request_seconds_bucket{{le=\"{bound}\"}} {below}"
            )?;
        }
        writeln!(
            text,
            "mls_delivery_request_seconds_bucket{{le=\"+Inf\"}} {}",
            times.count
        )?;
        writeln!(text, "mls_delivery_request_seconds_sum {}", times.sum)?;
        writeln!(text, "mls_delivery_request_seconds_count {}", times.count)?;
        writeln!(text, "# TYPE mls_delivery_waits_total counter")?;
        for (end, count) in &*self.waits.lock().unwrap_or_else(PoisonError::into_inner) {
            let end = match end {
                Waited::Told => "told",
                Waited::Looked => "looked",
                Waited::InVain => "in_vain",
            };
            writeln!(text, "mls_delivery_waits_total{{end=\"{end}\"}} {count}")?;
        }
        writeln!(text, "# TYPE mls_delivery_connections gauge")?;
        writeln!(
            text,
            "mls_delivery_connections {}",
            self.connections.load(Ordering::Relaxed)
        )?;
        writeln!(text, "# TYPE mls_delivery_waiting_devices gauge")?;
        writeln!(text, "mls_delivery_waiting_devices {waiting}")
    }
}
