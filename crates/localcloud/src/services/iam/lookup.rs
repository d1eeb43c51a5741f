//! The role that a request names.

use crate::services::call::Call;
use crate::services::form::Form;
use crate::wire::error::Fault;
use crate::world::role::Role;

pub(super) fn missing(name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

/// Reads the role that a form names.
pub(super) fn read<T>(call: &Call, form: &Form, look: impl FnOnce(&Role) -> Result<T, Fault>) -> Result<T, Fault> {
    let name = form.need("RoleName")?;
    call.read(|world| look(world.roles.get(&name.to_lowercase()).ok_or_else(|| missing(name))?))
}

/// Changes the role that a form names.
pub(super) fn change<T>(
    call: &Call,
    form: &Form,
    change: impl FnOnce(&mut Role) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let name = form.need("RoleName")?;
    call.change(|world| change(world.roles.get_mut(&name.to_lowercase()).ok_or_else(|| missing(name))?))
}
