//! Handlers, from the closures that an application writes to answers that a hub understands.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use spanwire_hub::backend::Matter;
use spanwire_hub::{Answer, Refusal};
use spanwire_wire::ErrorCode;

use super::context::read;
use super::{
    Accept, Conn, ConnectCtx, Hub, Pub, PublishCtx, RefreshCtx, Reject, Renew, RpcCtx, SubRefreshCtx,
    SubscribeCtx, Terms,
};
use crate::backend::{Asked, Said, What};

/// A handler, whatever it answers.
pub(super) type Reply = Arc<dyn Fn(Asked, Hub) -> BoxFuture<'static, Said> + Send + Sync>;

pub(super) fn on_connect<F, Fut>(handler: F) -> Reply
where
    F: Fn(ConnectCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Accept, Reject>> + Send + 'static,
{
    Arc::new(move |Asked { what, connection, transport }, hub| {
        let What::Connect(request) = what else { return mistaken() };
        let said = handler(ConnectCtx::new(*request, connection, transport, hub));
        async move { say(said.await.and_then(Accept::into_credentials), Answer::Credentials) }.boxed()
    })
}

pub(super) fn on_subscribe<F, Fut, A>(handler: F) -> Reply
where
    F: Fn(SubscribeCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, Reject>> + Send + 'static,
    A: Into<Terms>,
{
    of_matter(move |conn, hub, matter| {
        let Matter::Subscribe { channel, data, .. } = matter else { return mistaken() };
        let said = handler(SubscribeCtx { conn, channel: channel.as_str().to_owned(), data, hub });
        async move { say(said.await.and_then(|terms| terms.into().into_grant()), Answer::Grant) }.boxed()
    })
}

pub(super) fn on_publish<F, Fut>(handler: F) -> Reply
where
    F: Fn(PublishCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Pub, Reject>> + Send + 'static,
{
    of_matter(move |conn, hub, matter| {
        let Matter::Publish { channel, data, .. } = matter else { return mistaken() };
        let said = handler(PublishCtx { conn, channel: channel.as_str().to_owned(), data, hub });
        async move { say(said.await.map(Pub::into_approval), Answer::Approval) }.boxed()
    })
}

pub(super) fn on_refresh<F, Fut>(handler: F) -> Reply
where
    F: Fn(RefreshCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Renew, Reject>> + Send + 'static,
{
    of_matter(move |conn, hub, matter| {
        let Matter::Refresh = matter else { return mistaken() };
        let said = handler(RefreshCtx { conn, hub });
        async move { renewed(said.await) }.boxed()
    })
}

pub(super) fn on_sub_refresh<F, Fut>(handler: F) -> Reply
where
    F: Fn(SubRefreshCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Renew, Reject>> + Send + 'static,
{
    of_matter(move |conn, hub, matter| {
        let Matter::SubRefresh { channel, .. } = matter else { return mistaken() };
        let said = handler(SubRefreshCtx { conn, channel: channel.as_str().to_owned(), hub });
        async move { renewed(said.await) }.boxed()
    })
}

pub(super) fn rpc<F, Fut, Args, Out>(handler: F) -> Reply
where
    F: Fn(RpcCtx, Args) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Out, Reject>> + Send + 'static,
    Args: DeserializeOwned,
    Out: Serialize,
{
    of_matter(move |conn, hub, matter| {
        let Matter::Rpc { method, data } = matter else { return mistaken() };
        match read::<Args>(&data) {
            Err(reject) => std::future::ready(say(Err(reject), Answer::Rpc)).boxed(),
            Ok(arguments) => {
                let said = handler(RpcCtx { conn, method, hub }, arguments);
                async move { say(said.await.and_then(|result| written(&result)), Answer::Rpc) }.boxed()
            }
        }
    })
}

fn of_matter(
    handler: impl Fn(Conn, Hub, Matter) -> BoxFuture<'static, Said> + Send + Sync + 'static,
) -> Reply {
    Arc::new(move |Asked { what, connection, transport }, hub| {
        let What::Petition(petition) = what else { return mistaken() };
        handler(Conn::new(&petition, &connection, transport), hub, petition.matter)
    })
}

fn say<T>(outcome: Result<T, Reject>, answer: impl FnOnce(Result<T, Refusal>) -> Answer) -> Said {
    match outcome {
        Ok(yes) => Said { answer: answer(Ok(yes)), trouble: None },
        Err(reject) => {
            let (refusal, trouble) = reject.into_parts();
            Said { answer: answer(Err(refusal)), trouble }
        }
    }
}

fn renewed(outcome: Result<Renew, Reject>) -> Said {
    let (renewal, trouble) = match outcome.and_then(Renew::into_renewal) {
        Ok(renewal) => (renewal, None),
        Err(reject) => reject.into_renewal(),
    };
    Said { answer: Answer::Renewal(renewal), trouble }
}

fn written(result: &impl Serialize) -> Result<Bytes, Reject> {
    Ok(serde_json::to_vec(result)?.into())
}

/// A handler is only asked what it was made for; if that were not so, nobody must be let in by it.
fn mistaken() -> BoxFuture<'static, Said> {
    let answer = Answer::Rpc(Err(Refusal::Error(ErrorCode::Internal)));
    let trouble = Some("a handler was asked what it was not made for".to_owned());
    std::future::ready(Said { answer, trouble }).boxed()
}
