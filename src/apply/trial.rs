//! Decides whether a version may get traffic.

use super::CloudError;
use std::convert::Infallible;

/// Tries a version before it gets any traffic.
#[expect(async_fn_in_trait, reason = "every caller is generic over the trial and stays on one task")]
pub trait Trial {
    /// Why a version gets no traffic.
    type Rejection;

    /// `number` is a published version without traffic. After an error, the traffic does not move.
    async fn try_version(&mut self, number: &str) -> Result<(), StepError<Self::Rejection>>;
}

/// Accepts every version.
pub struct NoTrial;

impl Trial for NoTrial {
    type Rejection = Infallible;

    async fn try_version(&mut self, _: &str) -> Result<(), StepError<Infallible>> {
        Ok(())
    }
}

/// Why a step was not carried out.
#[derive(Debug)]
pub enum StepError<R> {
    Cloud(CloudError),
    /// The trial rejected the version.
    Rejected(R),
}

impl<R> From<CloudError> for StepError<R> {
    fn from(error: CloudError) -> StepError<R> {
        StepError::Cloud(error)
    }
}
