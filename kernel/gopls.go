package kernel

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"elastography/kernel/internal/cachedir"
	"elastography/kernel/internal/progress"
)

// goplsModule is the folder of the checkout whose go.mod pins gopls, which gonb asks for completion and inspection. It is a
// module of its own because gopls needs other versions of golang.org/x/tools than gonb.
const goplsModule = "kernel/tools"

// goplsDir is where gopls lies once it is built. The launcher looks there.
func (e *Env) goplsDir() (string, error) {
	mod, err := os.ReadFile(filepath.Join(e.Root, goplsModule, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("notebook kernel: %w; restore the checkout", err)
	}
	version, err := os.ReadFile(e.goVersionFile())
	if err != nil {
		return "", fmt.Errorf("notebook kernel: %w; install Go again", err)
	}
	return filepath.Join(e.Cache, "tools", "gopls-"+short(string(mod), string(version))), nil
}

// ensureGopls builds gopls. Only people at a notebook need it, so Setup leaves it out.
func (e *Env) ensureGopls(ctx context.Context, w io.Writer) error {
	dir, err := e.goplsDir()
	if err != nil {
		return err
	}
	return cachedir.Build(ctx, dir, "completion", w, func() error {
		return progress.Step(w, "completion: building gopls", time.Minute, func() error {
			out, err := goCommand(ctx, filepath.Join(e.Root, goplsModule), e.goTool,
				"build", "-ldflags=-s -w", "-o", dir+string(filepath.Separator), "golang.org/x/tools/gopls").CombinedOutput()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("build gopls: %s", tail(string(out), 1))
			}
			return nil
		})
	})
}
