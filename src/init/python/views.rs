//! Django's URLs and views.

use super::imports::Module;
use super::routes::streams;
use crate::init::route::Route;
use crate::init::source::TEXT;

/// The paths of `urlpatterns`. Those of an included app are below its path.
pub(super) fn routes(modules: &[&Module]) -> Vec<Route> {
    let roots = modules.iter().filter(|module| module.stem() == "urls");
    // The settings name the root; it is beside wsgi.py or asgi.py.
    let beside = |module: &Module| {
        let directory = module.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        modules.iter().any(|other| {
            let (of, name) = other.path.rsplit_once('/').unwrap_or(("", &other.path));
            of == directory && ["wsgi.py", "asgi.py"].contains(&name)
        })
    };
    roots.filter(|module| beside(module)).flat_map(|module| below(modules, module, "", 0)).collect()
}

fn below(modules: &[&Module], module: &Module, prefix: &str, depth: usize) -> Vec<Route> {
    let source = &module.source;
    let mut found = Vec::new();
    for at in source.matches(source.all(), &["path", "(", TEXT, ","]) {
        let path = format!("{prefix}{}", source.text(at + 2).unwrap_or_default());
        let view = at + 4;
        if source.is_at(view, &["include", "(", TEXT]) {
            let name = source.text(view + 2).unwrap_or_default().replace('.', "/") + ".py";
            let other = modules.iter().find(|other| other.path == name || other.path.ends_with(&format!("/{name}")));
            found.extend(
                other.filter(|_| depth < 3).into_iter().flat_map(|other| below(modules, other, &path, depth + 1)),
            );
        } else if let Some((dotted, end)) = source.dotted(view).filter(|(dotted, _)| !dotted.starts_with("admin.")) {
            let name = dotted.trim_end_matches(".as_view").rsplit('.').next().unwrap_or_default().to_owned();
            let is_call = source.is_sign(end, '(') && !dotted.ends_with(".as_view");
            let streams = modules.iter().any(|module| {
                let starts = ["def", "class"].iter().filter_map(|keyword| module.definition(keyword, &name));
                starts.into_iter().any(|start| streams(module, module.source.indented_block(start)))
            });
            if !is_call {
                found.push(Route {
                    streams,
                    ..Route::new("get", &format!("/{path}").replace('<', "{").replace('>', "}"))
                });
            }
        }
    }
    found
}

/// A note if the site refuses requests for the host of its URL.
pub(super) fn hosts_note(modules: &[&Module]) -> Option<String> {
    modules.iter().filter(|module| module.path.contains("settings")).find_map(|module| {
        let source = &module.source;
        let at = source.matches(source.all(), &["ALLOWED_HOSTS", "=", "["]).into_iter().next()?;
        let list = at + 2..source.close(at + 2);
        let is_open =
            list.clone().any(|at| source.text(at).is_some_and(|host| host == "*" || host.contains(".on.aws")));
        (!is_open).then(|| {
            format!(
                "Django refuses hosts that `ALLOWED_HOSTS` lacks: add `.on.aws` and `127.0.0.1` to it in `{}`",
                module.path
            )
        })
    })
}

/// Whether a call has a keyword of this name.
pub(super) fn has_keyword(module: &Module, name: &str) -> bool {
    module.source.has(module.source.all(), &[name, "="])
}
