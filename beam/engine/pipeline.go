package engine

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
)

func init() { register.DoFn2x1[context.Context, string, error](&shardFn{}) }

// shardFn is DoShard as Beam calls it, with counters for the engine's own
// displays. They count deliveries; Total counts rows.
type shardFn struct{}

var (
	computed = beam.NewCounter("sswe", "computed")
	skipped  = beam.NewCounter("sswe", "skipped")
	refused  = beam.NewCounter("sswe", "refused")
)

func (*shardFn) ProcessElement(ctx context.Context, shard string) error {
	r, err := DoShard(ctx, shard)
	if err != nil {
		return fmt.Errorf("%s%w%s", faultBegins, err, faultEnds)
	}
	computed.Inc(ctx, int64(r.Computed))
	skipped.Inc(ctx, int64(r.Skipped))
	refused.Inc(ctx, int64(r.Refused))
	return nil
}

// pipeline spreads the shards over the workers evenly.
func pipeline(shards []string) *beam.Pipeline {
	p, s := beam.NewPipelineWithRoot()
	paths := beam.Reshuffle(s.Scope("spread"), beam.CreateList(s.Scope("shards"), shards))
	beam.ParDo0(s.Scope("rows"), &shardFn{}, paths)
	return p
}
