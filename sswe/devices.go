package sswe

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
)

// spread has the training step run on several devices of the backend: each takes an equal part of every batch and holds all
// weights. XLA divides the program itself, so batch normalisation and loss see the whole batch, and the step is one device's
// but for the order of its sums. 0 and 1 mean one device.
func (f *fit) spread(devices int) error {
	batch, there := f.model.Config.Training.BatchSize, int(f.model.backend.NumDevices())
	switch {
	case devices < 0:
		return fmt.Errorf("%d devices; give 1 or more", devices)
	case devices <= 1:
		return nil
	case devices > there:
		return fmt.Errorf("%d devices asked for, %s has %d; lower --devices", devices, f.model.backend.Name(), there)
	case batch%devices != 0:
		return fmt.Errorf("a batch of %d planes can't be divided equally among %d devices; let --devices divide training.batch_size", batch, devices)
	}
	mesh, err := distributed.NewDeviceMesh([]int{devices}, []string{"batch"})
	if err != nil {
		return fmt.Errorf("spread the batch over %d devices: %w", devices, err)
	}
	if f.sharding, err = distributed.NewShardingSpec(mesh, distributed.AxisSpec{"batch"}); err != nil {
		return fmt.Errorf("spread the batch over %d devices: %w", devices, err)
	}
	f.exec.AutoSharding(mesh).
		WithInputShardingSpecs(f.sharding, f.sharding, f.sharding, f.sharding).
		WithOutputShardingSpecs(distributed.NewReplicatedShardingSpec(mesh))
	return nil
}

// run executes the step on a batch's four tensors, which it frees, and returns its loss in units of RangeKPa.
func (f *fit) run(in []*tensors.Tensor) (loss float64, err error) {
	args := make([]any, len(in))
	var used []interface{ FinalizeAll() error }
	defer func() {
		for _, t := range used {
			err = errors.Join(err, t.FinalizeAll())
		}
	}()
	for i, t := range in {
		args[i], used = t, append(used, t)
		if f.sharding == nil {
			continue
		}
		parts, err := dtensor.ShardTensor(f.sharding, t)
		if err != nil {
			return 0, err
		}
		args[i], used = parts, append(used, parts)
	}
	out, err := f.exec.Call(args...)
	if err != nil {
		return 0, err
	}
	for _, t := range out { // each device has the same
		used = append(used, t)
	}
	return float64(tensors.ToScalar[float32](out[0])), nil
}

// spreadBatchNorm is batch normalisation in elementary operations, with the variables and, but for rounding, the values of
// norm.BatchNorm. XLA divides these among devices; its own operation of that name it gives whole to every device, and all
// that follows with it.
func spreadBatchNorm(scope *model.Scope, x *Node) *Node {
	norm.BatchNorm(scope, x, -1).Momentum(batchNormMomentum).UseBackendInference(false).Done() // for its running averages: its result lets no gradient through the statistics
	const epsilon = 1e-3                                                                       // norm.BatchNorm's
	of := func(name string) *Node {
		v := scope.Shared("batch_normalization").VariableWithShape(name, shapes.Make(x.DType(), x.Shape().Dimensions[3]))
		return Reshape(v.NodeValue(x.Graph()), 1, 1, 1, -1)
	}
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, 0, 1, 2))
	variance := ReduceAndKeep(Square(centred), ReduceMean, 0, 1, 2)
	return Add(Mul(Div(centred, Sqrt(AddScalar(variance, epsilon))), of("scale")), of("offset"))
}
