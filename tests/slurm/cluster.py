"""A Slurm cluster of this machine alone: munge, a controller and two nodes, all on loopback and below one folder."""
import getpass
import os
import secrets
import socket
import subprocess
import time

NODES = ("one", "two")
CONF = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 RealMemory=8192 State=UNKNOWN
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=4 RealMemory=8192 State=UNKNOWN
PartitionName=all Nodes=one,two Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(n):
    probes = [socket.socket() for _ in range(n)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Slurm:
    def __init__(self, folder):
        self.folder, self.daemons = folder, []
        (folder / "state").mkdir(parents=True)
        folder.chmod(0o755)  # munge's clients have to reach its socket
        key = folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        conf = folder / "slurm.conf"
        conf.write_text(CONF.format(folder=folder, host=socket.gethostname(), ports=free_ports(3),
                                    user=getpass.getuser()), encoding="ascii")
        self.env = {**os.environ, "SLURM_CONF": str(conf)}

    def start(self):
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        self._daemon("munged", "--foreground", "--force",
                     *(f"--{name}={self.folder}/munge.{end}" for name, end in files.items()))
        self._wait("munge's socket", (self.folder / "munge.socket").exists)
        self._daemon("slurmctld", "-D")
        for node in NODES:
            self._daemon("slurmd", "-D", "-N", node)
        self._wait("two idle nodes", lambda: self.says("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * 2)

    def _daemon(self, *command):
        with open(self.folder / f"daemon-{len(self.daemons)}.log", "wb") as log:
            self.daemons.append(subprocess.Popen(command, env={**self.env, "PATH": self.env["PATH"] + ":/usr/sbin"},
                                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    @staticmethod
    def _wait(what, happened):
        for _ in range(300):
            if happened():
                return
            time.sleep(0.1)
        raise AssertionError(f"waited in vain for {what}")

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait(timeout=30)

    def says(self, *command):
        return subprocess.run(command, env=self.env, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout

    def array(self, tasks, script, *options, **env):
        """Runs an array job to its end: its highest exit status, what its tasks printed, and where each ran."""
        out = self.folder / f"out-{secrets.token_hex(4)}"
        command = ["sbatch", "--wait", "--parsable", f"--array=0-{tasks - 1}", f"--output={out}-%a", script, *options]
        done = subprocess.run(command, env={**self.env, **env}, check=False, capture_output=True, text=True, timeout=600)
        printed = [(out.parent / f"{out.name}-{task}").read_text(encoding="utf-8") for task in range(tasks)]
        told = self.says("scontrol", "-o", "show", "job", done.stdout.split(";")[0].strip())
        nodes = [word.split("=")[1] for word in told.split() if word.startswith("NodeList=")]
        return done.returncode, printed, nodes
