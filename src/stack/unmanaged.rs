//! Settings of a version that no manifest has a key for.

use super::word::words;

words! {
    /// Such a setting, in AWS's words and in their order.
    #[derive(PartialOrd, Ord)]
    UnmanagedSetting {
        CapacityProvider = "capacity provider",
        CodeSigning = "code signing",
        ContainerImage = "container image",
        DurableExecution = "durable execution",
        ImageConfiguration = "image configuration",
        TenantIsolation = "tenant isolation",
    }
}
