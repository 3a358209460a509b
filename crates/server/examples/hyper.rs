//! A chat without axum: a server of plain hyper, which hands to the hub what is the hub's.
//! `cargo run -p spanwire --example hyper`

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{Html, IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use spanwire::embed::HubService;
use spanwire::{Accept, ConnectCtx, Hub, Namespace, termination};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

/// The application's own pages.
fn page(request: &Request<Incoming>) -> Response {
    match request.uri().path() {
        "/" => Html(include_str!("chat.html")).into_response(),
        _ => (StatusCode::NOT_FOUND, Body::from("There is no such page.\n")).into_response(),
    }
}

async fn serve(stream: TcpStream, hub: HubService) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut hub = hub.clone();
        async move {
            match HubService::serves(request.uri().path()) {
                true => hub.call(request).await,
                false => Ok::<_, Infallible>(page(&request)),
            }
        }
    });
    // Without upgrades there are no WebSockets. A client that goes in the middle of something is nobody's failure.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades()
        .await;
}

async fn accept(listener: TcpListener, hub: Hub) -> std::io::Error {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => drop(tokio::spawn(serve(stream, hub.service().peer(peer)))),
            Err(error) => return error,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let room = Namespace::open().history(50, Duration::from_secs(86_400)).recover().presence().join_leave();
    let introduce = async |c: ConnectCtx| Ok(Accept::anonymous().info(c.data::<serde_json::Value>()?));
    let hub = Hub::builder().namespace("chat", room).on_connect(introduce).build().await?;
    let listener = TcpListener::bind(std::env::args().nth(1).unwrap_or("localhost:3000".to_owned())).await?;
    println!("http://localhost:{}", listener.local_addr()?.port());
    tokio::select! {
        error = accept(listener, hub.clone()) => Err(error.into()),
        () = hub.drain_on(termination()) => Ok(()),
    }
}
