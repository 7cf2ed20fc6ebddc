package kernel

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"elastography/kernel/internal/proc"
)

// labSettings are JupyterLab's defaults here: completion may take gopls's first twelve seconds, cells out of sight stay in the
// page, where the controls of a cell have to find themselves, and nothing is asked of a network.
const labSettings = `{
  "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
  "@jupyterlab/completer-extension:manager": {"providerTimeout": 15000},
  "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}
}
`

// LabOptions says how to start JupyterLab.
type LabOptions struct {
	Dir      string            // folder shown and served; <checkout>/notebooks if empty
	Port     int               // first port tried; 8888 if zero
	Browser  bool              // whether to open a browser
	Env      map[string]string // added to the cells' environment
	Progress io.Writer         // messages; standard error if nil
	Ready    func(url string)  // called with the address, token included, once the server answers; may be nil
}

// Lab runs JupyterLab until ctx ends or it is shut down from the browser. It listens on the loopback interface only and asks for
// a fresh token, which the printed address carries. Completion is built the first time, when there is a network.
func (e *Env) Lab(ctx context.Context, opt LabOptions) error {
	if opt.Progress == nil {
		opt.Progress = os.Stderr
	}
	if opt.Dir == "" {
		opt.Dir = filepath.Join(e.Root, "notebooks")
	}
	if opt.Port == 0 {
		opt.Port = 8888
	}
	if err := e.ensureGopls(ctx, opt.Progress); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		fmt.Fprintf(opt.Progress, "completion is off this time: %v\n", err)
	}
	tmp, err := tempDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	token := rand.Text()
	logName := filepath.Join(tmp, "jupyterlab.log")
	log, err := os.Create(logName)
	if err != nil {
		return fmt.Errorf("start JupyterLab: %w; set TMPDIR to a folder with space", err)
	}
	defer log.Close()
	cmd := proc.Command(ctx, e.Python, labArgs(opt)...)
	proc.Graceful(cmd, stopGrace)
	cmd.Env = append(e.jupyterEnv(tmp), "JUPYTER_TOKEN="+token)
	for k, v := range opt.Env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.Dir = opt.Dir
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start JupyterLab: %w", err)
	}
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start JupyterLab: %w; delete %s and run again", err, filepath.Dir(filepath.Dir(e.Python)))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer proc.Reap(cmd)

	address, err := waitForServer(filepath.Join(tmp, "runtime"), cmd.Process.Pid, token, ended)
	if err == nil {
		fmt.Fprintf(opt.Progress, "JupyterLab runs at\n\n    %s\n\nwith the kernel %q. Ctrl-C stops it.\n", address, DisplayName)
		if opt.Ready != nil {
			opt.Ready(address)
		}
		err = <-ended
	}
	if ctx.Err() != nil {
		return nil // asked to stop, and stopped
	}
	if err != nil {
		said, _ := os.ReadFile(logName)
		return fmt.Errorf("JupyterLab ended: %w: %s", err, tail(string(said), 3))
	}
	return nil
}

// labStart starts JupyterLab, without a module that takes seconds to load and only checks internationalised addresses. The server
// ends with its standard input, that is, also when this process is killed.
const labStart = `import os, signal, sys, threading
sys.modules["rfc3987_syntax"] = None
threading.Thread(target=lambda: (sys.stdin.read(), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
from jupyterlab.labapp import main
main()`

func labArgs(opt LabOptions) []string {
	args := []string{"-c", labStart,
		"--ServerApp.ip=127.0.0.1", "--ServerApp.port=" + strconv.Itoa(opt.Port), "--ServerApp.port_retries=50",
		"--ServerApp.root_dir=" + opt.Dir, "--ServerApp.open_browser=" + pythonBool(opt.Browser),
		"--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None",
		"--LabApp.collaborative=False", "--LabApp.extension_manager=readonly",
		"--MultiKernelManager.default_kernel_name=" + Name, "--KernelSpecManager.ensure_native_kernel=False",
		"--KernelSpecManager.allowed_kernelspecs=" + Name,
	}
	if os.Geteuid() == 0 { // in a container, as a rule
		args = append(args, "--ServerApp.allow_root=True")
	}
	return args
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// waitForServer returns the address of the server with the given process id, which it leaves in its runtime folder.
func waitForServer(runtimeDir string, pid int, token string, ended chan error) (string, error) {
	name := filepath.Join(runtimeDir, fmt.Sprintf("jpserver-%d.json", pid))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("it stopped by itself")
			}
			return "", err
		case <-tick.C:
			data, err := os.ReadFile(name)
			var server struct {
				URL string `json:"url"`
			}
			if err != nil || json.Unmarshal(data, &server) != nil {
				continue
			}
			return server.URL + "lab?token=" + url.QueryEscape(token), nil
		}
	}
}
