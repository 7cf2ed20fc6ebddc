// Command beam does sSWE's batch work on Apache Beam: the same rows as the main
// program's own pool, on Flink or whatever else runs Beam. It is a module of its
// own so that nothing else links Beam.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"elastography/beam/engine"
)

type commands struct {
	Import  importCommand  `cmd:"" help:"Make a cohort from real scanner screens, as the main program's import does."`
	Train   trainCommand   `cmd:"" help:"Folds, ensemble members and ablations: many trainings on one cohort."`
	Wait    waitCommand    `cmd:"" help:"Rows whose work is to wait: an archive's arithmetic without the archive."`
	Shard   shardCommand   `cmd:"" help:"Do one shard of a planned import: one task of a Slurm array or an indexed Kubernetes job."`
	Cluster clusterCommand `cmd:"" help:"A Flink session cluster on this machine, for trials."`
}

// main's thread must live as long as the process: children in a network of
// their own are killed with it.
func init() { runtime.LockOSThread() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { <-ctx.Done(); stop() }() // a second Ctrl-C ends at once
	if worker, err := engine.Work(context.Background(), os.Args[1:]); worker {
		exit(ctx, err)
	}
	var c commands
	parser := kong.Must(&c, kong.Name("sswe-beam"), kong.ShortUsageOnError(),
		kong.Description("sSWE's batch work on Apache Beam. Research software, not a medical device."), kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	beam.Init()
	if os.Getenv("SSWE_BEAM_LOG") == "" { // engines talk much; what went wrong is in the error
		log.SetLogger(silent{})
		slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	}
	exit(ctx, command.Run())
}

// exit ends with 0, 1 for an error, 130 when told to stop.
func exit(ctx context.Context, err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "sswe-beam:", strings.TrimSpace(err.Error()))
	if errors.Is(err, context.Canceled) || ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "sswe-beam: stopped; run the same command again to go on from here")
		os.Exit(130)
	}
	os.Exit(1)
}

// silent keeps quiet but for Beam's last words.
type silent struct{}

func (silent) Log(_ context.Context, severity log.Severity, _ int, text string) {
	if severity >= log.SevFatal {
		fmt.Fprintln(os.Stderr, "sswe-beam:", text)
	}
}
