//! What the app is made with, as the files of its folder tell.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dependencies::{self, Packages};

/// An app, as the files of its folder tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct App {
    /// What it is made with; none where no file tells.
    pub framework: Option<String>,
    /// The file that tells.
    pub told_by: Option<String>,
    /// The address of its development server.
    pub upstream: String,
    /// The command that starts this server, where it is known.
    pub start: Option<String>,
    /// It uses django-waffle.
    pub waffle: bool,
    /// How it reads the flag `example`.
    pub reads: String,
}

/// How code of a language reads the flag `example`.
const PYTHON: &str = r#"if request.headers.get("X-Flag-Example") == "on":"#;
const RUBY: &str = r#"if request.headers["X-Flag-Example"] == "on""#;
const RACK: &str = r#"if env["HTTP_X_FLAG_EXAMPLE"] == "on""#;
const PHP: &str = r#"if (($_SERVER["HTTP_X_FLAG_EXAMPLE"] ?? "") === "on") {"#;
const NODE: &str = r#"if (request.headers["x-flag-example"] === "on") {"#;
const NEXT: &str = r#"if ((await headers()).get("x-flag-example") === "on") {"#;
const ANY: &str = r#"the request header "X-Flag-Example" is "on""#;

/// Packages of Node by which a development server is told: the package, its name, its address. The first that is there counts.
const NODE_SERVERS: [(&str, &str, &str); 10] = [
    ("next", "Next.js", "localhost:3000"),
    ("nuxt", "Nuxt", "localhost:3000"),
    ("astro", "Astro", "localhost:4321"),
    ("@angular/core", "Angular", "localhost:4200"),
    ("@nestjs/core", "NestJS", "localhost:3000"),
    ("express", "Express", "localhost:3000"),
    ("fastify", "Fastify", "localhost:3000"),
    ("koa", "Koa", "localhost:3000"),
    ("@sveltejs/kit", "SvelteKit", "localhost:5173"),
    ("vite", "Vite", "localhost:5173"),
];

/// Looks at a folder. Where several kinds of app could be meant, the server is taken before what is built for browsers: most apps in Python,
/// Ruby and PHP have a package.json too.
#[must_use]
pub fn detect(folder: &Path) -> App {
    let kinds: [fn(&Path) -> Option<App>; 5] = [django, ruby, php, python, node];
    kinds.iter().find_map(|kind| kind(folder)).unwrap_or_else(|| App {
        framework: None,
        told_by: None,
        upstream: "127.0.0.1:8000".into(),
        start: None,
        waffle: false,
        reads: ANY.into(),
    })
}

fn app(framework: &str, told_by: &str, upstream: &str, start: &str, reads: &str) -> Option<App> {
    Some(App {
        framework: Some(framework.into()),
        told_by: Some(told_by.into()),
        upstream: upstream.into(),
        start: Some(start.into()),
        waffle: false,
        reads: reads.into(),
    })
}

fn has(folder: &Path, file: &str) -> bool {
    folder.join(file).is_file()
}

fn django(folder: &Path) -> Option<App> {
    if !has(folder, "manage.py") {
        return None;
    }
    let waffle = dependencies::python(folder).has("django-waffle");
    let app = app("Django", "manage.py", "127.0.0.1:8000", "python manage.py runserver", PYTHON);
    app.map(|app| App { waffle, ..app })
}

fn ruby(folder: &Path) -> Option<App> {
    let gems = dependencies::ruby(folder);
    match () {
        () if has(folder, "bin/rails") => app("Rails", "bin/rails", "localhost:3000", "bin/rails server", RUBY),
        () if gems.has("rails") => app("Rails", "Gemfile", "localhost:3000", "bundle exec rails server", RUBY),
        () if has(folder, "config.ru") => app("Rack", "config.ru", "localhost:9292", "bundle exec rackup", RACK),
        () if gems.has("sinatra") => app("Sinatra", "Gemfile", "localhost:4567", "bundle exec ruby app.rb", RACK),
        () if gems.file.is_empty() => None,
        () => app("Ruby", "Gemfile", "localhost:9292", "bundle exec rackup", RACK),
    }
}

fn php(folder: &Path) -> Option<App> {
    let plain = "php -S 127.0.0.1:8000";
    let (laravel, symfony) = ("php artisan serve", "symfony serve --no-tls");
    match () {
        () if has(folder, "artisan") => app("Laravel", "artisan", "127.0.0.1:8000", laravel, PHP),
        () if dependencies::php(folder).has("symfony/framework-bundle") => {
            app("Symfony", "composer.json", "127.0.0.1:8000", symfony, PHP)
        }
        () if has(folder, "public/index.php") => {
            app("PHP", "public/index.php", "127.0.0.1:8000", &format!("{plain} -t public"), PHP)
        }
        () if has(folder, "index.php") => app("PHP", "index.php", "127.0.0.1:8000", plain, PHP),
        () if has(folder, "composer.json") => app("PHP", "composer.json", "127.0.0.1:8000", plain, PHP),
        () => None,
    }
}

fn python(folder: &Path) -> Option<App> {
    let packages = dependencies::python(folder);
    let of = |name: &str, upstream: &str, start: &str| app(name, &packages.file, upstream, start, PYTHON);
    let uvicorn = format!("uvicorn {}:app", if has(folder, "app.py") { "app" } else { "main" });
    let served = |file: &'static str, start: &str| {
        has(folder, file).then(|| app("Python", file, "127.0.0.1:8000", start, PYTHON))
    };
    match () {
        () if packages.has("fastapi") => of("FastAPI", "127.0.0.1:8000", &uvicorn),
        () if packages.has("flask") => of("Flask", "127.0.0.1:5000", "flask run"),
        () if packages.has("starlette") => of("Starlette", "127.0.0.1:8000", &uvicorn),
        () => named(&packages)
            .or_else(|| served("asgi.py", "uvicorn asgi:application"))
            .or_else(|| served("wsgi.py", "gunicorn wsgi:application"))
            .flatten(),
    }
}

/// Django without its usual file.
fn named(packages: &Packages) -> Option<Option<App>> {
    let start = "django-admin runserver";
    let waffle = packages.has("django-waffle");
    let app = || app("Django", &packages.file, "127.0.0.1:8000", start, PYTHON).map(|app| App { waffle, ..app });
    packages.has("django").then(app)
}

fn node(folder: &Path) -> Option<App> {
    if !has(folder, "package.json") {
        return None;
    }
    let packages = dependencies::node(folder);
    let (package, name, upstream) = NODE_SERVERS.into_iter().find(|(package, ..)| packages.has(package)).unwrap_or((
        "",
        "Node",
        "localhost:3000",
    ));
    let is_server = ["express", "fastify", "koa", ""].contains(&package);
    let start = if is_server { "npm start" } else { "npm run dev" };
    app(name, "package.json", upstream, start, if package == "next" { NEXT } else { NODE })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[track_caller]
    fn told(files: &[(&str, &str)]) -> (String, String, bool) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let app = detect(folder.path());
        (app.framework.unwrap_or_default(), app.upstream, app.waffle)
    }

    #[test]
    fn each_kind_of_app_is_told_by_its_files() {
        let package = |name: &str| format!("{{\"dependencies\": {{\"{name}\": \"1\"}}}}");
        for (files, name, upstream) in [
            (vec![("manage.py", ""), ("package.json", "{}")], "Django", "127.0.0.1:8000"),
            (vec![("requirements.txt", "# fastapi\nFlask[async]>=3\n")], "Flask", "127.0.0.1:5000"),
            (vec![("requirements/base.txt", "flask-login\nflask==3\n")], "Flask", "127.0.0.1:5000"),
            (vec![("pyproject.toml", "dependencies = [\"fastapi>=0.1\"]")], "FastAPI", "127.0.0.1:8000"),
            (vec![("pyproject.toml", "dependencies = [\"fastapi-users\"]")], "", "127.0.0.1:8000"),
            (vec![("wsgi.py", "")], "Python", "127.0.0.1:8000"),
            (vec![("Gemfile", "gem \"rails\"\n"), ("config.ru", "")], "Rails", "localhost:3000"),
            (vec![("Gemfile", "gem 'puma'\n"), ("config.ru", "")], "Rack", "localhost:9292"),
            (vec![("artisan", ""), ("package.json", "{}")], "Laravel", "127.0.0.1:8000"),
            (
                vec![("composer.json", "{\"require\": {\"symfony/framework-bundle\": \"7\"}}")],
                "Symfony",
                "127.0.0.1:8000",
            ),
            (vec![("index.php", "")], "PHP", "127.0.0.1:8000"),
            (vec![("package.json", &*package("express"))], "Express", "localhost:3000"),
            (vec![("package.json", &*package("vite"))], "Vite", "localhost:5173"),
            (vec![("package.json", "{ broken")], "Node", "localhost:3000"),
            (vec![], "", "127.0.0.1:8000"),
        ] {
            assert_eq!(told(&files), (name.to_owned(), upstream.to_owned(), false), "{files:?}");
        }
        assert!(told(&[("manage.py", ""), ("requirements.txt", "django_waffle~=5.0\n")]).2);
    }
}
