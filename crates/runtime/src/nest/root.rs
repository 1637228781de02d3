//! The root directory of a sandbox: read-only system and engine, private home, minimal everything.
//!
//! Built by a process with all rights in a new mount namespace; nothing inside can change it later,
//! because the user namespace that the box gets does not own it.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use smartbox_core::sandbox::{BROWSER_POLICY, ENGINE_DIR, HOME_DIR};

use super::fault::{Doing, fault};
use super::spec::{Fault, Make};
use super::ssh;
use super::sys::{self, NODEV, NOEXEC, NOSUID, RDONLY};

/// Init's executable, inside.
pub(super) const INIT: &str = "/init";

/// What of the system is visible, read-only. Links are copied as links.
const SYSTEM: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/// What of `/etc` is visible, read-only, where the host has it.
const ETC: [&str; 10] = [
    "ssl/certs",
    "ssl/openssl.cnf",
    "pki/tls/certs",
    "pki/ca-trust/extracted",
    "ca-certificates",
    "alternatives",
    "fonts",
    "ld.so.cache",
    "localtime",
    // The operator's word on whose key is whose.
    "ssh/ssh_known_hosts",
];
/// Our own `/etc`.
const OWN_ETC: [(&str, &str); 7] = [
    (
        "passwd",
        "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n\
         box:x:1000:1000:Smartbox:/home/box:/bin/bash\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("group", "root:x:0:\nbox:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost smartbox\n::1 localhost ip6-localhost\n"),
    ("hostname", "smartbox\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("resolv.conf", "# The platform answers, and looks nothing up for it.\nnameserver 127.0.0.1\n"),
    (
        // Debian's launcher reads this directory and fails without one. What the person says comes later
        // on the command line, and wins.
        "chromium.d/smartbox",
        "# The sandbox is around the browser: within it there are no namespaces to make one more of.\n\
         export CHROMIUM_FLAGS=\"$CHROMIUM_FLAGS --no-sandbox --disable-dev-shm-usage\"\n",
    ),
];
/// Where Chromium, Chrome and Chrome for Testing look for policies.
const POLICIES: [&str; 3] = ["chromium", "opt/chrome", "opt/chrome_for_testing"];
/// Devices, bound from the host's.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const DEVICE_LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];
/// Files of `/proc` that tell of the host or act on it.
const HIDDEN_FILES: [&str; 17] = [
    "cmdline",
    "config.gz",
    "diskstats",
    "interrupts",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "modules",
    "partitions",
    "sched_debug",
    "sysrq-trigger",
    "timer_list",
];
const HIDDEN_DIRS: [&str; 8] =
    ["acpi", "asound", "bus", "driver", "dynamic_debug", "fs", "irq", "scsi"];

/// Builds the root in the present (new) mount namespace and moves into it.
pub(super) fn build(order: &Make) -> Result<(), Fault> {
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .doing("making mounts private")?;
    let stage = Stage(order.stage.clone());
    stage.tmpfs("", "mode=755,size=4m,nr_inodes=4096", NODEV)?;
    stage.system()?;
    stage.etc()?;
    stage.dir("opt")?;
    stage.bind(&order.engine_dir, ENGINE_DIR, RDONLY | NOSUID | NODEV)?;
    stage.dir("home")?;
    stage.bind(&order.box_dir.join("home"), HOME_DIR, NOSUID | NODEV)?;
    stage.bind(&order.init, INIT, RDONLY | NOSUID | NODEV)?;
    stage.dir("tmp")?;
    stage.tmpfs("tmp", &format!("mode=1777,size={}", order.tmp_bytes), NOSUID | NODEV)?;
    stage.dir("run")?;
    stage.tmpfs("run", "mode=1777,size=16m", NOSUID | NODEV)?;
    stage.dir("var")?;
    stage.link("var/tmp", Path::new("/tmp"))?;
    stage.link("var/run", Path::new("/run"))?;
    stage.devices(order.tmp_bytes / 2)?;
    stage.proc()?;
    enter(&stage.0)?;
    sys::set_mount_attributes(c"/", false, RDONLY).doing("making the root read-only")
}

/// Makes the stage the root, and lets go of the host's.
fn enter(stage: &Path) -> Result<(), Fault> {
    rustix::process::chdir(stage).doing("entering the new root")?;
    rustix::process::pivot_root(".", ".").doing("changing the root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).doing("letting go of the old root")?;
    rustix::process::chdir("/").doing("entering the new root")
}

struct Stage(PathBuf);

impl Stage {
    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn dir(&self, path: &str) -> Result<(), Fault> {
        fs::create_dir_all(self.at(path)).doing_to("making the directory", &path)
    }

    fn file(&self, path: &str, text: &str) -> Result<(), Fault> {
        let at = self.at(path);
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent).doing_to("making the directory of", &path)?;
        }
        fs::write(&at, text).doing_to("writing", &path)?;
        fs::set_permissions(&at, fs::Permissions::from_mode(0o644)).doing_to("publishing", &path)
    }

    fn link(&self, path: &str, to: &Path) -> Result<(), Fault> {
        std::os::unix::fs::symlink(to, self.at(path)).doing_to("linking", &path)
    }

    fn tmpfs(&self, path: &str, options: &str, attributes: u64) -> Result<(), Fault> {
        self.mount("tmpfs", path, options, attributes)
    }

    fn mount(&self, kind: &str, path: &str, options: &str, attributes: u64) -> Result<(), Fault> {
        let options = CString::new(options).map_err(|e| fault("mounting", e))?;
        rustix::mount::mount(kind, self.at(path), kind, MountFlags::empty(), options.as_c_str())
            .doing_to(&format!("mounting {kind} on"), &format!("/{path}"))?;
        self.attributes(path, false, attributes)
    }

    fn attributes(&self, path: &str, deep: bool, attributes: u64) -> Result<(), Fault> {
        let at = CString::new(self.at(path).as_os_str().as_bytes())
            .map_err(|e| fault("naming a mount", e))?;
        sys::set_mount_attributes(&at, deep, attributes).doing_to("restricting the mount of", &path)
    }

    /// Binds a file or directory of the host, with everything mounted beneath it.
    fn bind(&self, source: &Path, path: &str, attributes: u64) -> Result<(), Fault> {
        let is_dir = fs::metadata(source).doing_to("looking at", &source.display())?.is_dir();
        if is_dir {
            self.dir(path)?;
        } else {
            self.file(path, "")?;
        }
        rustix::mount::mount_bind_recursive(source, self.at(path))
            .doing_to("binding", &source.display())?;
        self.attributes(path, true, attributes)
    }

    fn system(&self) -> Result<(), Fault> {
        for name in SYSTEM {
            let host = Path::new("/").join(name);
            match fs::symlink_metadata(&host) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e).doing_to("looking at", &host.display()),
                Ok(meta) if meta.is_symlink() => {
                    let to = fs::read_link(&host).doing_to("reading the link", &host.display())?;
                    self.link(name, &to)?;
                }
                Ok(_) => self.bind(&host, name, RDONLY | NOSUID | NODEV)?,
            }
        }
        Ok(())
    }

    fn etc(&self) -> Result<(), Fault> {
        for (name, text) in OWN_ETC {
            self.file(&format!("etc/{name}"), text)?;
        }
        self.file("etc/ssh/ssh_config", &ssh::config())?;
        for browser in POLICIES {
            // What is to be trusted is known later; it is the box's own, and harms nobody else.
            let managed = format!("etc/{browser}/policies/managed");
            self.dir(&managed)?;
            let policy = Path::new(HOME_DIR).join(BROWSER_POLICY);
            self.link(&format!("{managed}/smartbox.json"), &policy)?;
        }
        for name in ETC {
            let host = Path::new("/etc").join(name);
            if host.exists() {
                self.bind(&host, &format!("etc/{name}"), RDONLY | NOSUID | NODEV)?;
            }
        }
        Ok(())
    }

    fn devices(&self, shm_bytes: u64) -> Result<(), Fault> {
        self.dir("dev")?;
        self.tmpfs("dev", "mode=755,size=64k", NOSUID | NOEXEC)?;
        for name in DEVICES {
            self.bind(&Path::new("/dev").join(name), &format!("dev/{name}"), NOSUID | NOEXEC)?;
        }
        for (name, to) in DEVICE_LINKS {
            self.link(&format!("dev/{name}"), Path::new(to))?;
        }
        self.dir("dev/pts")?;
        self.mount("devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620", NOSUID | NOEXEC)?;
        self.dir("dev/shm")?;
        self.tmpfs("dev/shm", &format!("mode=1777,size={shm_bytes}"), NOSUID | NODEV)?;
        self.attributes("dev", false, RDONLY)
    }

    fn proc(&self) -> Result<(), Fault> {
        self.dir("proc")?;
        self.mount("proc", "proc", "", NOSUID | NODEV | NOEXEC)?;
        for name in HIDDEN_FILES {
            if self.at("proc").join(name).exists() {
                let at = self.at("proc").join(name);
                rustix::mount::mount_bind("/dev/null", &at).doing_to("hiding /proc", &name)?;
            }
        }
        for name in HIDDEN_DIRS {
            if self.at("proc").join(name).is_dir() {
                self.tmpfs(&format!("proc/{name}"), "mode=555,size=0,nr_inodes=1", RDONLY)?;
            }
        }
        let sys = self.at("proc/sys");
        rustix::mount::mount_bind(&sys, &sys).doing("binding /proc/sys")?;
        self.attributes("proc/sys", false, RDONLY | NOSUID | NODEV | NOEXEC)
    }
}
