//! How figures are printed: as tables, with the goals below them.

/// One line of a table.
pub(crate) fn row<T: std::fmt::Display>(name: &str, cells: impl IntoIterator<Item = T>) {
    let cells: String = cells.into_iter().map(|cell| format!(" {:>14}", cell.to_string())).collect();
    println!("{name:<32}{cells}");
}

/// A goal, whether it is reached, and the figure.
pub(crate) fn bar(goal: &str, holds: bool, figure: &str) {
    println!("{} {goal}: {figure}\n", if holds { "holds" } else { "FAILS" });
}
