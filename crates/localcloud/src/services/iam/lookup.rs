//! The role that a request names.

use crate::clock::{self, millis};
use crate::services::call::Call;
use crate::services::form::Form;
use crate::wire::error::Fault;
use crate::world::role::Role;

pub(super) fn missing(name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

/// Whether a role is old enough to be found.
pub(super) fn is_visible(call: &Call, role: &Role) -> bool {
    clock::now() >= role.created + millis(call.options().visibility_lag)
}

/// Reads the role that a form names.
pub(super) fn read<T>(call: &Call, form: &Form, look: impl FnOnce(&Role) -> Result<T, Fault>) -> Result<T, Fault> {
    let name = form.need("RoleName")?;
    call.read(|world| {
        let role = world.roles.get(&name.to_lowercase()).filter(|role| is_visible(call, role));
        look(role.ok_or_else(|| missing(name))?)
    })
}

/// Changes the role that a form names.
pub(super) fn change<T>(
    call: &Call,
    form: &Form,
    change: impl FnOnce(&mut Role) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let name = form.need("RoleName")?;
    call.change(|world| {
        let role = world.roles.get_mut(&name.to_lowercase()).filter(|role| is_visible(call, role));
        change(role.ok_or_else(|| missing(name))?)
    })
}
