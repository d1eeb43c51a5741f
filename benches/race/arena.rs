//! A cloud of one contestant, the relay before it, and the commands.

use crate::contestant::{CARGO_LAMBDA, Case, Contestant, MOTO, SAM};
use crate::figures::Run;
use crate::support::bench::{Bench, Server, function_zip, said, zip_of};
use crate::support::python::installed;
use crate::support::relay::{Relay, idle, sequential};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A gap between two calls that is longer than this counts as sleep.
const PAUSE: Duration = Duration::from_millis(400);
const BUCKET: &str = "race-code";
const MAKE_BUCKET: &str = "import boto3; boto3.client('s3').create_bucket(Bucket='race-code')";
const CARGO_TOML: &str = "[package]\nname = \"race-chat\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";

/// The programs that take part, and what they deploy.
pub(crate) struct Programs {
    cargo_lambda: PathBuf,
    sam: PathBuf,
    moto: PathBuf,
    /// Two programs that differ, and the same as packages.
    binaries: [Vec<u8>; 2],
    zips: [PathBuf; 2],
}

impl Programs {
    pub(crate) fn install(contestants: &[Contestant]) -> Programs {
        let environment = |is_needed: bool, name, requirements, options: &[&str]| match is_needed {
            true => installed(name, requirements, options).unwrap(),
            false => PathBuf::new(),
        };
        let has_sam = contestants.iter().any(|contestant| contestant.is_sam());
        let mut binary = Vec::new();
        let mut package = zip::ZipArchive::new(fs::File::open(function_zip()).unwrap()).unwrap();
        package.by_name("bootstrap").unwrap().read_to_end(&mut binary).unwrap();
        // What follows an ELF file's last section has no meaning.
        let binaries = ["one", "two"].map(|name| [&binary[..], name.as_bytes()].concat());
        let zips = [0, 1].map(|nth| zip_of(&format!("race-{nth}"), &binaries[nth]));
        let has_cargo_lambda = contestants.contains(&Contestant::CargoLambda);
        Programs {
            cargo_lambda: environment(has_cargo_lambda, "race-cargo-lambda", CARGO_LAMBDA, &["--no-deps"]),
            sam: environment(has_sam, "race-sam", SAM, &[]),
            moto: environment(has_sam, "race-moto", MOTO, &[]),
            binaries,
            zips,
        }
    }
}

/// The cloud that a contestant deploys to. Both end with it.
pub(crate) struct Arena<'a> {
    contestant: Contestant,
    programs: &'a Programs,
    bench: Bench,
    variables: Vec<(String, String)>,
    relay: Relay,
    _moto: Option<Server>,
}

impl<'a> Arena<'a> {
    pub(crate) fn open(contestant: Contestant, programs: &'a Programs, propagation: Duration) -> Arena<'a> {
        let bench = Bench::new(&manifest(128));
        let (moto, address, mut variables) = match contestant.is_sam() {
            true => {
                let moto = moto(programs);
                let address = moto.address.clone();
                let variable = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                let variables = [
                    ("AWS_ACCESS_KEY_ID", "testing"),
                    ("AWS_SECRET_ACCESS_KEY", "testing"),
                    ("AWS_REGION", "us-east-1"),
                    ("AWS_DEFAULT_REGION", "us-east-1"),
                ];
                (Some(moto), address, variables.map(variable).to_vec())
            }
            false => {
                // An update that takes time would take the same time for all.
                let propagation = format!("--role-propagation={}s", propagation.as_secs());
                let address = bench.good(&["local", "start", &propagation, "--pending=0s", "--update=0s"]);
                let variables = bench.variables();
                (None, address.trim().to_owned(), variables)
            }
        };
        let relay = Relay::to(&address);
        // moto only recognises its own buckets in addresses at `localhost`.
        let address = relay.address.replace("127.0.0.1", "localhost");
        variables.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
        variables.push(("AWS_ENDPOINT_URL".to_owned(), address));
        let arena = Arena { contestant, programs, bench, variables, relay, _moto: moto };
        arena.prepare();
        arena
    }

    /// What there is before the first command.
    fn prepare(&self) {
        match self.contestant {
            Contestant::Lamstream => {}
            Contestant::CargoLambda => {
                self.bench.write("Cargo.toml", CARGO_TOML);
                self.bench.write_all("src/main.rs", "fn main() {}\n");
                for (nth, binary) in self.programs.binaries.iter().enumerate() {
                    let path = self.bench.path(&format!("bootstrap-{nth}"));
                    fs::write(&path, binary).unwrap();
                    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
                }
            }
            Contestant::Sam | Contestant::FastSam | Contestant::SamSync => {
                let mut make = self.foreign(&self.programs.sam.join("python"), &["-c", MAKE_BUCKET]);
                assert!(make.status().unwrap().success(), "the bucket is made");
                if self.contestant == Contestant::SamSync {
                    self.measured(&mut self.sam(Case::First));
                }
            }
        }
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.relay.delay(delay);
    }

    /// Carries out a case, if the contestant can.
    pub(crate) fn run(&mut self, case: Case) -> Option<Run> {
        if !self.contestant.can(case) {
            return None;
        }
        if case == Case::Throttled {
            self.relay.throttle("GET /2015-03-31/functions/race-chat");
        }
        let mut command = match self.contestant {
            Contestant::Lamstream => self.lamstream(case),
            Contestant::CargoLambda => self.cargo_lambda(case),
            Contestant::Sam | Contestant::FastSam => self.sam(case),
            Contestant::SamSync => self.sync(case),
        };
        Some(self.measured(&mut command))
    }

    fn measured(&self, command: &mut Command) -> Run {
        self.relay.take();
        let (before, began) = (processor_time(), Instant::now());
        let output = command.output().unwrap();
        let seconds = began.elapsed().as_secs_f64();
        let cpu = processor_time() - before;
        assert!(output.status.success(), "{command:?}: {}", said(&output));
        let trips = self.relay.take();
        Run {
            seconds,
            idle: idle(&trips, PAUSE).as_secs_f64(),
            cpu,
            calls: trips.len(),
            trips: sequential(&trips),
            bytes: trips.iter().map(|trip| trip.bytes).sum(),
        }
    }

    fn lamstream(&self, case: Case) -> Command {
        let (code, memory) = case.wanted();
        self.bench.write("deploy.toml", &manifest(memory));
        let package = format!("--package={}", self.programs.zips[code].display());
        let mut command = match case {
            Case::Plan => self.bench.command(&["plan", &package]),
            Case::Destroy => self.bench.command(&["destroy", "--yes"]),
            _ => self.bench.command(&["deploy", "--yes", &package]),
        };
        command.envs(self.variables.iter().cloned());
        command
    }

    fn cargo_lambda(&self, case: Case) -> Command {
        let (code, memory) = case.wanted();
        let (binary, memory) = (format!("bootstrap-{code}"), memory.to_string());
        let deploy = ["lambda", "deploy", "--enable-function-url", "--memory", &memory, "--binary-path", &binary];
        let mut command = self.foreign(&self.programs.cargo_lambda.join("cargo-lambda"), &deploy);
        let cargo = Path::new(env!("CARGO"));
        let known = std::env::var_os("PATH").unwrap();
        let path = [cargo.parent().unwrap().to_owned()].into_iter().chain(std::env::split_paths(&known));
        command.arg("race-chat").env("CARGO", cargo).env("PATH", std::env::join_paths(path).unwrap());
        command
    }

    fn sam(&self, case: Case) -> Command {
        self.write_template(case);
        let mut command = match case {
            Case::Destroy => self.sam_command(&["delete", "--no-prompts", "--stack-name=race", "--s3-bucket", BUCKET]),
            _ => {
                let deploy = ["deploy", "--stack-name=race", "--template-file=template.yaml", "--s3-bucket", BUCKET];
                let mut command = self.sam_command(&deploy);
                command.args(["--no-confirm-changeset", "--capabilities=CAPABILITY_IAM"]);
                command.arg("--no-fail-on-empty-changeset");
                command
            }
        };
        if case == Case::Plan {
            command.arg("--no-execute-changeset");
        }
        if self.contestant != Contestant::Sam {
            command.env("SAM_CLI_POLL_DELAY", "0.5");
        }
        command
    }

    fn sync(&self, case: Case) -> Command {
        self.write_template(case);
        let sync = ["sync", "--code", "--no-watch", "--stack-name=race", "--template-file=template.yaml"];
        let mut command = self.sam_command(&sync);
        // It asks whether the stack may be changed.
        self.bench.write("yes", "y\n");
        command.args(["--s3-bucket", BUCKET]).stdin(fs::File::open(self.bench.path("yes")).unwrap());
        command
    }

    fn write_template(&self, case: Case) {
        let (code, memory) = case.wanted();
        let zip = self.programs.zips[code].display().to_string();
        let template = include_str!("template.yaml").replace("CODE", &zip).replace("MEMORY", &memory.to_string());
        self.bench.write("template.yaml", &template);
    }

    fn sam_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.foreign(&self.programs.sam.join("sam"), arguments);
        command.env("SAM_CLI_TELEMETRY", "0").env("SAM_CLI_CHECK_UPDATES", "0");
        command
    }

    /// A foreign program, with nothing of this machine's settings.
    fn foreign(&self, program: &Path, arguments: &[&str]) -> Command {
        let own = self.bench.command(&[]);
        let mut foreign = Command::new(program);
        let variables = own.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        foreign.args(arguments).env_clear().envs(variables).envs(self.variables.iter().cloned());
        foreign.env("AWS_EC2_METADATA_DISABLED", "true").current_dir(self.bench.directory.path());
        foreign.stdin(Stdio::null());
        foreign
    }
}

/// One public function, checked.
fn manifest(memory: u32) -> String {
    format!(
        "app = \"race\"\n[functions.chat]\ncrate = \"unused\"\nurl = {{ auth = \"none\" }}\nmemory = {memory}\n\
         check = {{ path = \"/\" }}\n"
    )
}

fn moto(programs: &Programs) -> Server {
    let mut command = Command::new(programs.moto.join("python"));
    Server::start(command.args(["-c", include_str!("../../tests/clouds/moto_server.py")]).stderr(Stdio::null()))
}

/// The processor time of all commands that have ended, in seconds. Linux counts it in hundredths; elsewhere it is not known.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in parentheses, may contain spaces. The 14th and 15th fields after it are the children's.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
