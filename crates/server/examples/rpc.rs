//! A service that clients call over their connection: a list of things to do, with errors of its own, whose changes
//! everybody hears. `cargo run -p spanwire --example rpc`

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use serde::{Deserialize, Serialize};
use spanwire::{Accept, ConnectCtx, Hub, Namespace, Pub, PublishCtx, Reject, RpcCtx, termination};

/// Errors of this service: codes from 400 to 1999 are the application's.
const NO_SUCH_TASK: u32 = 404;
const LIST_IS_FULL: u32 = 507;

const TASKS_MAX: usize = 3;
const CHANNEL: &str = "tasks:all";

#[derive(Clone, Serialize)]
struct Task {
    id: usize,
    title: String,
    done_by: Option<String>,
}

#[derive(Deserialize)]
struct NewTask {
    title: String,
}

#[derive(Deserialize)]
struct Which {
    id: usize,
}

/// The service. Its handlers are methods, so that it can be tested without a hub.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<Task>>>);

impl Tasks {
    fn add(&self, title: String) -> Result<Task, Reject> {
        let mut tasks = self.0.lock().unwrap();
        if tasks.len() >= TASKS_MAX {
            return Err(Reject::error(LIST_IS_FULL, "there is enough to do").temporary());
        }
        let task = Task { id: tasks.len() + 1, title, done_by: None };
        tasks.push(task.clone());
        Ok(task)
    }

    fn finish(&self, id: usize, user: &str) -> Result<Task, Reject> {
        let mut tasks = self.0.lock().unwrap();
        let task = tasks.iter_mut().find(|task| task.id == id);
        let task = task.ok_or_else(|| Reject::error(NO_SUCH_TASK, format!("there is no task {id}")))?;
        task.done_by = Some(user.to_owned());
        Ok(task.clone())
    }

    fn list(&self) -> Vec<Task> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tasks = Tasks::default();
    let (adding, finishing, listing) = (tasks.clone(), tasks.clone(), tasks);
    let hub = Hub::builder()
        .namespace("tasks", Namespace::open().history(100, Duration::from_secs(3600)).recover())
        .on_connect(async |c: ConnectCtx| match c.token.as_str() {
            "" => Err(Reject::denied("a name is wanted as the token")), // In earnest: a token that proves it.
            name => Ok(Accept::user(name)),
        })
        // Changes come from the service alone.
        .on_publish("tasks:*", async |_: PublishCtx| Err::<Pub, _>(Reject::denied("call tasks.add")))
        .rpc("add", async |_: RpcCtx, (a, b): (i64, i64)| {
            a.checked_add(b).ok_or_else(|| Reject::bad_request("that is too much"))
        })
        .rpc("tasks.list", move |_: RpcCtx, (): ()| {
            let tasks = listing.list();
            async move { Ok(tasks) }
        })
        .rpc("tasks.add", move |c: RpcCtx, NewTask { title }| {
            let tasks = adding.clone();
            async move {
                let task = tasks.add(title)?;
                c.hub().publish(CHANNEL, &task).await?;
                Ok(task)
            }
        })
        .rpc("tasks.finish", move |c: RpcCtx, Which { id }| {
            let tasks = finishing.clone();
            async move {
                let task = tasks.finish(id, &c.conn.user)?;
                c.hub().publish(CHANNEL, &task).await?;
                Ok(task)
            }
        })
        .build()
        .await?;
    let app = Router::new().merge(hub.router());
    let address = std::env::args().nth(1).unwrap_or("localhost:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://localhost:{}", listener.local_addr()?.port());
    axum::serve(listener, app).with_graceful_shutdown(hub.drain_on(termination())).await?;
    Ok(())
}
