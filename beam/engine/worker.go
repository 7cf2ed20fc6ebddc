package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/harness"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"github.com/google/renameio/v2"
)

// Work makes this process a worker of Beam's PROCESS environment when its
// arguments are those with which an engine starts one. It then returns true
// once the engine has no more for it. Beam's own boot program would do the same
// but leaves a copy of the binary behind with every job.
func Work(ctx context.Context, args []string) (bool, error) {
	option := func(name string) string {
		for _, a := range args {
			if v, ok := strings.CutPrefix(a, "--"+name+"="); ok {
				return v
			}
		}
		return ""
	}
	provision := option("provision_endpoint")
	if provision == "" {
		return false, nil
	}
	beam.Init()
	ctx = grpcx.WriteWorkerID(ctx, option("id"))
	info, err := tools.ProvisionInfo(ctx, provision)
	if err != nil {
		return true, fmt.Errorf("worker: ask the engine at %s what to do: %w", provision, err)
	}
	err = harness.MainWithOptions(ctx, info.GetLoggingEndpoint().GetUrl(), info.GetControlEndpoint().GetUrl(), harness.Options{
		RunnerCapabilities: info.GetRunnerCapabilities(), StatusEndpoint: info.GetStatusEndpoint().GetUrl()})
	if err != nil {
		return true, fmt.Errorf("worker: %w", err)
	}
	return true, nil
}

// placeWorker puts a copy of this program where every worker finds it: on the
// storage that they share anyway. Its name tells its content.
func placeWorker(state string) (path string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	f, err := os.Open(self)
	if err != nil {
		return "", fmt.Errorf("read this program: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read this program: %w", err)
	}
	path = filepath.Join(state, fmt.Sprintf("worker-%x", h.Sum(nil)[:8]))
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	copied, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o700))
	if err != nil {
		return "", fmt.Errorf("place the worker: %w", err)
	}
	defer copied.Cleanup()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("place the worker: %w", err)
	}
	if _, err := io.Copy(copied, f); err != nil {
		return "", fmt.Errorf("place the worker: %w", err)
	}
	if err := copied.CloseAtomicallyReplace(); err != nil {
		return "", fmt.Errorf("place the worker: %w", err)
	}
	return path, nil
}
