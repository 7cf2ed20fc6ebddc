package flink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"elastography/beam/loopback"
)

// Cluster is one session cluster, as its folder remembers it.
type Cluster struct {
	Dir          string `json:"dir"`  // configuration, logs, scratch
	Home         string `json:"home"` // jars, by Assemble
	TaskManagers int    `json:"task_managers"`
	Open         bool   `json:"open"` // its ports are on every interface
	Ports        ports  `json:"ports"`
	Supervisor   int    `json:"supervisor"` // process that ends the others when it ends
}

// Endpoint is where the Beam job server is reached from this machine.
func (c *Cluster) Endpoint() string { return fmt.Sprintf("127.0.0.1:%d", c.Ports.Job) }

// REST is Flink's own interface and display.
func (c *Cluster) REST() string { return fmt.Sprintf("http://127.0.0.1:%d", c.Ports.REST) }

const (
	stateFile    = "cluster.json"
	startTimeout = 6 * time.Minute
)

// Load reads what a cluster's folder remembers.
func Load(dir string) (*Cluster, error) {
	b, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("flink: no cluster was started in %s; start one with `go run . cluster start`", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	var c Cluster
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("flink: %s: %w; remove the folder", filepath.Join(dir, stateFile), err)
	}
	return &c, nil
}

func (c *Cluster) save() error {
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(c.Dir, stateFile), b, 0o600)
}

// alive tells whether the supervisor runs: its process holds the folder's name
// in its arguments.
func (c *Cluster) alive() bool {
	if c.Supervisor == 0 || syscall.Kill(c.Supervisor, 0) != nil {
		return false
	}
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.Supervisor))
	return err != nil || len(args) == 0 || containsArg(args, c.Dir)
}

// Start starts a cluster in dir, with the Beam job server at jobPort (0: any
// free one), and returns when all of it answers. The processes outlive this one
// until Stop.
func Start(ctx context.Context, dir, home string, taskManagers, jobPort int, open bool) (*Cluster, error) {
	if old, err := Load(dir); err == nil && old.alive() {
		return nil, fmt.Errorf("flink: a cluster runs in %s already, at %s; stop it with `go run . cluster stop`", dir, old.Endpoint())
	}
	if taskManagers < 1 {
		return nil, fmt.Errorf("flink: %d TaskManagers; at least 1 is needed", taskManagers)
	}
	c := &Cluster{Dir: dir, Home: home, TaskManagers: taskManagers, Open: open}
	if err := c.choosePorts(jobPort); err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	conf := filepath.Join(dir, "conf")
	if err := os.MkdirAll(conf, 0o700); err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(conf, "flink-conf.yaml"), []byte(configuration(c.Ports, taskManagers)), 0o600),
		os.WriteFile(filepath.Join(conf, "log4j2.properties"), []byte(logging), 0o600), c.save()); err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	log, err := os.Create(filepath.Join(dir, "supervisor.log"))
	if err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	defer log.Close()
	supervisor := exec.Command(self, "cluster", "supervise", "--dir", dir) // not of ctx: it stays
	supervisor.Stdout, supervisor.Stderr = log, log
	supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := supervisor.Start(); err != nil {
		return nil, fmt.Errorf("flink: %w", err)
	}
	c.Supervisor = supervisor.Process.Pid
	if err := c.save(); err != nil {
		return nil, errors.Join(fmt.Errorf("flink: %w", err), c.Stop())
	}
	ended := make(chan error, 1)
	go func() { ended <- supervisor.Wait() }()
	if err := c.await(ctx, ended); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// choosePorts takes free ports of this machine.
func (c *Cluster) choosePorts(job int) error {
	for _, port := range []*int{&c.Ports.Job, &c.Ports.Artifact, &c.Ports.REST, &c.Ports.RPC, &c.Ports.Blob, &c.Ports.Expansion} {
		want := 0
		if port == &c.Ports.Job {
			want = job
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(want))
		if err != nil {
			return fmt.Errorf("port %d: %w; choose another with --port", want, err)
		}
		defer l.Close() // all are held until all are chosen
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

// await returns when every TaskManager is registered and the job server
// listens.
func (c *Cluster) await(ctx context.Context, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if n, err := c.Registered(ctx); err == nil && n == c.TaskManagers && jobServerUp(c.Dir) {
			return nil
		}
		select {
		case err := <-ended:
			log, _ := os.ReadFile(filepath.Join(c.Dir, "supervisor.log"))
			return fmt.Errorf("flink: the cluster did not start (%v): %s", err, log)
		case <-ctx.Done():
			return fmt.Errorf("flink: the cluster is not up: %w; its logs are in %s", ctx.Err(), c.Dir)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// Registered counts the TaskManagers that the JobManager knows.
func (c *Cluster) Registered(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.REST()+"/overview", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("flink: the JobManager does not answer: %w", err)
	}
	defer response.Body.Close()
	var overview struct {
		TaskManagers int `json:"taskmanagers"`
	}
	if err := json.NewDecoder(response.Body).Decode(&overview); err != nil {
		return 0, fmt.Errorf("flink: the JobManager does not answer: %w", err)
	}
	return overview.TaskManagers, nil
}

// Stop ends all processes of the cluster; one that ended already is no error.
func (c *Cluster) Stop() error {
	if !c.alive() {
		return nil
	}
	if err := syscall.Kill(c.Supervisor, syscall.SIGTERM); err != nil {
		return fmt.Errorf("flink: stop the cluster: %w", err)
	}
	for range 100 {
		if !c.alive() {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("flink: the supervisor, process %d, does not end", c.Supervisor)
}

// Supervise is the process behind Start: it keeps the cluster until ctx ends.
// It must be called from a thread that lives as long as the process.
func Supervise(ctx context.Context, dir string) error {
	c, err := Load(dir)
	if err != nil {
		return err
	}
	if c.Open {
		return c.keep(ctx)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inner := loopback.Command(ctx, self, "cluster", "inside", "--dir", dir)
	inner.Stdout, inner.Stderr = os.Stdout, os.Stderr
	inner.Cancel = func() error { return inner.Process.Kill() } // and with it everything in its namespace
	if err := c.passOn(ctx); err != nil {
		return err
	}
	if err := inner.Start(); err != nil {
		return loopback.Refused(err)
	}
	return inner.Wait()
}
