package flink

import (
	"fmt"
	"path/filepath"
	"strings"
)

// ports of a cluster. Job, Artifact and REST are passed on to this machine.
type ports struct{ Job, Artifact, REST, RPC, Blob, Expansion int }

// configuration is flink-conf.yaml. Where no shell script adds them up, Flink
// wants each part of the memory by itself. Sizes suit a small machine: pixels
// are in the workers' processes, not in Java.
func configuration(p ports, taskManagers int) string {
	return fmt.Sprintf(`jobmanager.rpc.address: 127.0.0.1
jobmanager.bind-host: 127.0.0.1
jobmanager.rpc.port: %d
blob.server.port: %d
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: %d
jobmanager.memory.heap.size: 256m
taskmanager.host: 127.0.0.1
taskmanager.bind-host: 127.0.0.1
taskmanager.numberOfTaskSlots: 1
taskmanager.cpu.cores: 1.0
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 128m
taskmanager.memory.task.heap.size: 256m
taskmanager.memory.task.off-heap.size: 0m
taskmanager.memory.network.min: 64m
taskmanager.memory.network.max: 64m
taskmanager.memory.managed.size: 128m
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 64m
taskmanager.memory.jvm-overhead.max: 64m
parallelism.default: %d
heartbeat.interval: 2000
heartbeat.timeout: 10000
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 3
restart-strategy.fixed-delay.delay: 1s
`, p.RPC, p.Blob, p.REST, taskManagers)
}

const logging = `rootLogger.level = INFO
rootLogger.appenderRef.c.ref = C
appender.c.type = Console
appender.c.name = C
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d{HH:mm:ss} %-5p %c{1} %m%n
`

// java is the command line of a Java program with what Java 17 must be told for
// Flink and Beam.
func java(lib, heap string, more ...string) []string {
	args := []string{"java", "-Xmx" + heap, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", filepath.Join(lib, "*")}
	for _, opened := range strings.Fields("util lang net io nio util.concurrent time") {
		args = append(args, "--add-opens=java.base/java."+opened+"=ALL-UNNAMED")
	}
	args = append(args, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-exports=java.base/sun.net.util=ALL-UNNAMED")
	return append(args, more...)
}

// commands are the cluster's processes by name. Each has a folder of its own.
func commands(home, dir string, p ports, taskManagers int) map[string][]string {
	conf := filepath.Join(dir, "conf")
	log := "-Dlog4j2.configurationFile=" + filepath.Join(conf, "log4j2.properties")
	flink, beam := filepath.Join(home, "flink"), filepath.Join(home, "beam")
	out := map[string][]string{
		"jobmanager": java(flink, "384m", log, "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", conf),
		"jobserver": java(beam, "512m", "org.apache.beam.runners.flink.FlinkJobServerDriver", fmt.Sprintf("--flink-master=127.0.0.1:%d", p.REST), "--flink-conf-dir="+conf,
			"--job-host=127.0.0.1", fmt.Sprintf("--job-port=%d", p.Job), fmt.Sprintf("--artifact-port=%d", p.Artifact),
			fmt.Sprintf("--expansion-port=%d", p.Expansion), "--artifacts-dir="+filepath.Join(dir, "artifacts")),
	}
	for k := range taskManagers {
		name := fmt.Sprintf("taskmanager%d", k+1)
		out[name] = java(flink, "512m", log, "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "--configDir", conf,
			"-Dio.tmp.dirs="+filepath.Join(dir, name))
	}
	return out
}
