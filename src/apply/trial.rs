//! Whether a version may have traffic.

use super::CloudError;
use std::convert::Infallible;

/// Tries a version before it is given any traffic.
#[expect(async_fn_in_trait, reason = "every caller is generic over the trial and stays on one task")]
pub trait Trial {
    /// Why a version gets no traffic.
    type Rejection;

    /// `number` is a published version without traffic. After an error the traffic stays where it is.
    async fn try_version(&mut self, number: &str) -> Result<(), Cause<Self::Rejection>>;
}

/// Every version may have traffic.
pub struct NoTrial;

impl Trial for NoTrial {
    type Rejection = Infallible;

    async fn try_version(&mut self, _: &str) -> Result<(), Cause<Infallible>> {
        Ok(())
    }
}

/// Why a step was not carried out.
#[derive(Debug)]
pub enum Cause<R> {
    Cloud(CloudError),
    /// The trial refused the version traffic.
    Rejected(R),
}

impl<R> From<CloudError> for Cause<R> {
    fn from(error: CloudError) -> Cause<R> {
        Cause::Cloud(error)
    }
}
