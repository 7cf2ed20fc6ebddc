package kernel

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/internal/proc"
	"elastography/kernel/internal/progress"
)

// cellBuild is the folder of the checkout with the program that builds cells.
const cellBuild = "kernel/internal/cellbuild"

// kernelTools are what a kernel is made of: the `tool` lines of go.mod, and our own.
var kernelTools = []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports", "./" + cellBuild}

// cellPackages are what cells import besides the checkout's own packages.
var cellPackages = []string{
	"github.com/janpfeifer/gonb/gonbui", "github.com/janpfeifer/gonb/gonbui/dom", "github.com/janpfeifer/gonb/gonbui/widgets",
	"github.com/janpfeifer/gonb/gonbui/comms", "github.com/janpfeifer/gonb/common",
	"github.com/gomlx/gomlx/backends/default", "gonum.org/v1/plot/plotter", "gonum.org/v1/plot/vg/vgimg", "gonum.org/v1/gonum/stat",
}

// goTool returns the go command of the toolchain that the checkout's go.mod selects.
func goTool(ctx context.Context, root string) (string, error) {
	out, err := goCommand(ctx, root, "go", "env", "GOROOT").Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("notebook kernel: run the go command: %w; install Go 1.26 and put it on PATH", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "bin", "go"), nil
}

// goCommand is a go command in the checkout, outside any workspace of the user's.
func goCommand(ctx context.Context, root, tool string, arg ...string) *exec.Cmd {
	cmd := proc.Command(ctx, tool, arg...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	return cmd
}

// ensureTools builds the kernel's tools into a folder named after their versions and Go's.
func (e *Env) ensureTools(ctx context.Context, w io.Writer) (string, error) {
	key, err := e.buildKey()
	if err != nil {
		return "", err
	}
	sources, err := filepath.Glob(filepath.Join(e.Root, cellBuild, "*.go"))
	if err != nil {
		return "", fmt.Errorf("notebook kernel: list %s: %w", cellBuild, err)
	}
	parts := []string{key}
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("notebook kernel: %w; restore the checkout", err)
		}
		parts = append(parts, string(source))
	}
	for _, m := range gonbMends {
		parts = append(parts, m.new)
	}
	dir := filepath.Join(e.Cache, "tools", short(parts...))
	return dir, cachedir.Build(ctx, dir, "notebook kernel", w, func() error {
		return progress.Step(w, "notebook kernel: building gonb and its helpers", 30*time.Second, func() error {
			sources, err := os.MkdirTemp("", "sswe-gonb-")
			if err != nil {
				return fmt.Errorf("notebook kernel: %w; set TMPDIR to a writable folder", err)
			}
			defer os.RemoveAll(sources)
			modFile, err := e.mendGonb(ctx, sources)
			if err != nil {
				return fmt.Errorf("notebook kernel: mend gonb: %w", err)
			}
			args := []string{"build", "-ldflags=-s -w", "-modfile=" + modFile, "-o", dir + string(filepath.Separator)}
			return e.build(ctx, "build gonb", append(args, kernelTools...))
		})
	})
}

// prebuild compiles what cells link into Go's build cache, so that the first cell does not wait a minute for it. A checkout
// that does not compile is no reason to refuse the environment it can be mended in: the compiler's words are passed on.
func (e *Env) prebuild(ctx context.Context, w io.Writer) error {
	key, err := e.buildKey()
	if err != nil {
		return err
	}
	return e.once("prebuilt", key, func() error {
		return progress.Step(w, "notebook kernel: compiling the packages that cells import", time.Minute, func() error {
			return e.compileForCells(ctx, w)
		})
	})
}

func (e *Env) compileForCells(ctx context.Context, w io.Writer) error {
	// A cell is a module of its own beside the checkout, and such a workspace looks into every module of go.mod, those of
	// tests included. Cells have no network, so all must be there.
	if err := e.build(ctx, "fetch the modules that cells may look into", []string{"mod", "download"}); err != nil {
		if ctx.Err() != nil {
			return err
		}
		fmt.Fprintln(w, err)
	}
	out, err := goCommand(ctx, e.Root, e.goTool, "list", "-e", "-f", `{{if and .GoFiles (ne .Name "main")}}{{.ImportPath}}{{end}}`, "./...").Output()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("notebook kernel: list the packages of %s: %w; see `go list ./...` there", e.Root, err)
	}
	packages := append(strings.Fields(string(out)), cellPackages...)
	err = e.build(ctx, "compile for cells", append([]string{"build"}, packages...))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(w, err)
	}
	return nil
}

func (e *Env) build(ctx context.Context, what string, args []string) error {
	out, err := goCommand(ctx, e.Root, e.goTool, args...).CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("notebook kernel: %s: %w; run again to go on", what, ctx.Err())
	}
	if err == nil {
		return nil
	}
	remedy := "mend the code"
	switch log := string(out); {
	case strings.Contains(log, "dial tcp"), strings.Contains(log, "no such host"), strings.Contains(log, "module lookup disabled"):
		remedy = "connect once, or fill Go's module cache (go mod download)"
	case strings.Contains(log, "server response:"):
		remedy = "your module proxy does not give it; only a cell that imports it would miss it"
	case strings.Contains(log, "no space left"):
		remedy = fmt.Sprintf("free 2 GB, or set GOCACHE and %s to folders on another disk", cachedir.EnvCache)
	case strings.Contains(log, "C compiler"):
		remedy = "install a C compiler (Debian, Ubuntu: apt install gcc)"
	}
	return fmt.Errorf("notebook kernel: %s: %s; %s", what, tail(string(out), 3), remedy)
}

// buildKey changes with whatever the tools and the packages that cells link are made of, but for the checkout's own code,
// which cells compile anew within seconds.
func (e *Env) buildKey() (string, error) {
	var sums []string
	for _, name := range []string{filepath.Join(e.Root, "go.mod"), filepath.Join(e.Root, "go.sum"), e.goVersionFile()} {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("notebook kernel: %w; restore the checkout", err)
		}
		sums = append(sums, string(data))
	}
	return short(sums...), nil
}

// goVersionFile is the file of the toolchain that says which it is.
func (e *Env) goVersionFile() string {
	return filepath.Join(filepath.Dir(filepath.Dir(e.goTool)), "VERSION")
}
