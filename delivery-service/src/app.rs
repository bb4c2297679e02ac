//! The places of the service, and who may go where: a request passes rates, token and body before its handler sees it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use axum::{
    BoxError, Extension, Router,
    error_handling::HandleErrorLayer,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{delete, get, post},
};
use mls_delivery_client::wire::Bytes;
use tower::{ServiceBuilder, limit::GlobalConcurrencyLimitLayer, load_shed::LoadShedLayer};

use crate::{
    arguments::Arguments,
    auth::{self, Challenges},
    body::{Bodies, refuse},
    limits::{self, Rates},
    metrics::{self, Metrics},
    now,
    problem::Problem,
    routes::{devices, group_info, groups, key_packages, operations, queue},
    store::Store,
    wake::Wake,
};

pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) wake: Arc<Wake>,
    pub(crate) challenges: Challenges,
    pub(crate) metrics: Metrics,
    pub(crate) longest_wait: u32,
    bodies: Bodies,
    devices: Rates<Bytes>,
    strangers: Rates<IpAddr>,
}

/// The address that a connection comes from.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The device whose token came with the request.
#[derive(Clone)]
pub(crate) struct Device(pub(crate) Bytes);

pub(crate) type Shared = State<Arc<App>>;

impl App {
    pub(crate) async fn open(arguments: &Arguments) -> Result<Arc<Self>, sqlx::Error> {
        let wake = Arc::new(Wake::default());
        let store = Store::open(arguments, wake.clone()).await?;
        let key = store
            .challenge_key()
            .await
            .map_err(|problem| sqlx::Error::Configuration(problem.to_string().into()))?;
        Ok(Arc::new(Self {
            store,
            wake,
            challenges: Challenges::new(&key),
            metrics: Metrics::default(),
            longest_wait: arguments.longest_wait,
            bodies: Bodies::default(),
            devices: Rates::new(arguments.rate),
            strangers: Rates::new(arguments.stranger_rate),
        }))
    }
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let strangers = Router::new()
        .route("/health", get(operations::health))
        .route("/openapi.json", get(operations::openapi))
        .route("/v1/challenge", post(devices::challenge))
        .route("/v1/devices", post(devices::register))
        .route_layer(middleware::from_fn_with_state(app.clone(), greet_stranger));
    let known = Router::new()
        .route("/v1/device", delete(devices::delete))
        .route(
            "/v1/key-packages",
            post(key_packages::publish)
                .get(key_packages::stock)
                .delete(key_packages::withdraw),
        )
        .route(
            "/v1/devices/{device}/key-packages/{ciphersuite}",
            post(key_packages::claim),
        )
        .route("/v1/groups", post(groups::create))
        .route("/v1/groups/{group}", get(groups::status))
        .route("/v1/groups/{group}/commits", post(groups::submit))
        .route("/v1/groups/{group}/messages", post(groups::send))
        .route("/v1/groups/{group}/device", delete(groups::leave))
        .route(
            "/v1/groups/{group}/group-info",
            get(group_info::read).put(group_info::publish),
        )
        .route("/v1/queue/acknowledged", post(queue::acknowledge));
    let working = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { Problem::Busy }))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(limits::WORKING));
    let known = known
        .route_layer(working)
        // Who waits does not work.
        .route("/v1/queue", get(queue::read))
        .route_layer(middleware::from_fn_with_state(app.clone(), greet_device));
    strangers
        .merge(known)
        .method_not_allowed_fallback(|| async { Problem::NoSuchMethod })
        .fallback(|| async { Problem::NoSuchPlace })
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(app.clone(), metrics::measure))
        .with_state(app)
}

/// Lets everybody in, but only so often.
async fn greet_stranger(State(app): Shared, request: Request, next: Next) -> Response {
    if !app.strangers.allow(address(&request), Instant::now()) {
        return refuse(request, Problem::TooManyRequests).await;
    }
    app.bodies.collect(limits::STRANGERS_BODY, request, next).await
}

/// Lets in who has a token. The body of anybody else is not read.
async fn greet_device(State(app): Shared, mut request: Request, next: Next) -> Response {
    let device = match find_device(&app, auth::token_hash(request.headers())).await {
        Ok(device) => device,
        // Guessing is not free.
        Err(Problem::Unauthorized) if !app.strangers.allow(address(&request), Instant::now()) => {
            return refuse(request, Problem::TooManyRequests).await;
        }
        Err(problem) => return refuse(request, problem).await,
    };
    if !app.devices.allow(device.clone(), Instant::now()) {
        return refuse(request, Problem::TooManyRequests).await;
    }
    request.extensions_mut().insert(Device(device));
    app.bodies.collect(limits::BODY, request, next).await
}

async fn find_device(app: &App, token_hash: Option<Vec<u8>>) -> Result<Bytes, Problem> {
    let hash = token_hash.ok_or(Problem::Unauthorized)?;
    app.store.device(&hash, now()).await?.ok_or(Problem::Unauthorized)
}

fn address(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    match peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.to_canonical()) {
        // A customer's network has 2^64 addresses.
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address => address,
    }
}

/// The device of a request behind [`greet_device`].
pub(crate) type Caller = Extension<Device>;
