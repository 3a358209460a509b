//! One order, from the account to the certificate (RFC 8555, section 7.1).

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};

use super::challenges::{Answer, Challenges, Unanswerable};
use super::http::Http;
use super::storage::Storage;
use crate::http_client::causes;
use crate::tls::CertificateError;

/// How long the authority may take to look at an answer, and again to make the certificate.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// What the authority says of an account that it has forgotten (RFC 8555, section 6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// Who gives certificates.
pub(super) struct Authority {
    pub(super) directory_url: String,
    pub(super) email: Option<String>,
    pub(super) http: Http,
    pub(super) storage: Storage,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    #[error("{}", said(.0))]
    Authority(#[from] Error),
    #[error("the authority could not see that the host is ours: {0}")]
    Unproved(String),
    #[error("the authority does not take TLS-ALPN-01 as a proof")]
    NoChallenge,
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    #[error("{0}: {1}; move the file away, and another account is made")]
    Account(PathBuf, io::Error),
    #[error(transparent)]
    Unusable(#[from] CertificateError),
}

impl Authority {
    /// Orders a certificate, proves that the host is ours, and keeps what comes.
    ///
    /// # Errors
    /// See [`OrderError`]; what was kept before is kept on.
    pub(super) async fn order(&self, host: &str, challenges: &Challenges) -> Result<(), OrderError> {
        let bought = self.buy(host, challenges).await;
        if let Err(OrderError::Authority(Error::Api(problem))) = &bought
            && problem.r#type.as_deref() == Some(NO_ACCOUNT)
        {
            // The next order makes another one.
            self.storage.forget_account().map_err(|error| self.no_account(error))?;
        }
        Ok(self.storage.keep(host, &bought?, SystemTime::now())?)
    }

    /// The key and the chain, as PEM.
    async fn buy(&self, host: &str, challenges: &Challenges) -> Result<String, OrderError> {
        let account = self.account().await?;
        let mut order = account.new_order(&NewOrder::new(&[Identifier::Dns(host.to_owned())])).await?;
        let answers = answer(&mut order, host, challenges).await?;
        if order.poll_ready(&PATIENCE).await? != OrderStatus::Ready {
            return Err(OrderError::Unproved(complaint(&mut order).await?));
        }
        drop(answers);
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&PATIENCE).await?;
        Ok(key + &chain)
    }

    /// The account that was made before, or a new one.
    async fn account(&self) -> Result<Account, OrderError> {
        let builder = Account::builder_with_http(Box::new(self.http.clone()));
        if let Some(credentials) = self.storage.account().map_err(|error| self.no_account(error))? {
            return Ok(builder.from_credentials(credentials).await?);
        }
        let contact: Vec<_> = self.email.iter().map(|email| format!("mailto:{email}")).collect();
        let contact: Vec<_> = contact.iter().map(String::as_str).collect();
        let wanted =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&wanted, self.directory_url.clone(), None).await?;
        self.storage.keep_account(&credentials).map_err(|error| self.no_account(error))?;
        Ok(account)
    }

    fn no_account(&self, error: io::Error) -> OrderError {
        OrderError::Account(self.storage.account_file(), error)
    }
}

/// Answers what the authority wants to see answered, and tells it to look.
async fn answer<'a>(
    order: &mut Order,
    host: &str,
    challenges: &'a Challenges,
) -> Result<Vec<Answer<'a>>, OrderError> {
    let mut answers = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge =
            authorization.challenge(ChallengeType::TlsAlpn01).ok_or(OrderError::NoChallenge)?;
        answers.push(challenges.answer(host, challenge.key_authorization().digest().as_ref())?);
        challenge.set_ready().await?;
    }
    Ok(answers)
}

/// What the authority says of an order that came to nothing.
async fn complaint(order: &mut Order) -> Result<String, OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let state = authorization.refresh().await?;
        if let Some(error) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return Ok(error.to_string());
        }
    }
    Ok("it does not say why".to_owned())
}

/// The library hides what led to an error of somebody else's.
fn said(error: &Error) -> String {
    match error {
        Error::Other(error) => causes(&**error),
        error => causes(error),
    }
}
