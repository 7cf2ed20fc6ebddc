package sswe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"elastography/data/npz"
)

// The files of a run's checkpoint folder. Each is one .npz: the arrays by variable name and a JSON text "meta".
const (
	ModelFile = "model.npz" // the finished model: averaged weights with exact batch-norm statistics
	lastFile  = "last.npz"  // everything training needs to go on: weights, Adam's moments, weight average, progress
)

const checkpointFormat = 1

// meta travels with the weights.
type meta struct {
	Format   int      `json:"format"`
	Config   Config   `json:"config"`
	Origin   Origin   `json:"origin"`
	Domain   Domain   `json:"domain"`
	Progress progress `json:"progress"`
}

// save writes the finished model.
func (m *Model) save(path string, p progress) error { return m.write(path, p, nil) }

// write stores the network's variables or, for a training under way, whose weight average is given, all variables. It
// is atomic and refuses weights that are not numbers, so that a checkpoint is always a good one.
func (m *Model) write(path string, p progress, underWay *weightAverage) error {
	text, err := json.Marshal(meta{Format: checkpointFormat, Config: m.Config, Origin: m.Origin, Domain: m.Domain, Progress: p})
	if err != nil {
		return fmt.Errorf("save checkpoint %s: %w", path, err)
	}
	arrays := map[string]npz.Array{"meta": npz.Of(text)}
	for v := range m.store.IterVariables() {
		if underWay == nil && !strings.HasPrefix(v.Path(), "/network/") {
			continue
		}
		a, err := arrayOf(v)
		if err != nil {
			return fmt.Errorf("save checkpoint %s: %s: %w", path, v.Path(), err)
		}
		arrays[strings.TrimPrefix(v.Path(), "/")] = a
	}
	if underWay != nil {
		for name, mean := range underWay.mean {
			arrays[averagePrefix+name] = npz.Of(mean)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	if err := npz.WriteFile(path, arrays); err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

func arrayOf(v *model.Variable) (npz.Array, error) {
	t, err := v.Value()
	if err != nil {
		return npz.Array{}, err
	}
	shape := t.Shape()
	switch shape.DType {
	case dtypes.Float32:
		values, err := tensors.CopyFlatData[float32](t)
		for _, x := range values {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return npz.Array{}, fmt.Errorf("holds %v", x)
			}
		}
		return npz.Array{Shape: shape.Dimensions, Data: values}, err // a scalar's shape is empty
	case dtypes.Int64:
		values, err := tensors.CopyFlatData[int64](t)
		return npz.Array{Shape: shape.Dimensions, Data: values}, err
	}
	return npz.Array{}, fmt.Errorf("type %s can't be stored", shape.DType)
}

// checkpoint is a checkpoint file in memory. It hands its values to the store as the graph asks for variables.
type checkpoint struct {
	path string
	meta meta
	file *npz.File
}

func readCheckpoint(path string) (*checkpoint, error) {
	file, err := npz.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	text, _, err := npz.Get[uint8](file, "meta")
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	c := &checkpoint{path: path, file: file}
	if err := json.Unmarshal(text, &c.meta); err != nil {
		return nil, fmt.Errorf("read checkpoint: %s: %w: %v", path, npz.ErrDamaged, err)
	}
	if c.meta.Format != checkpointFormat {
		return nil, fmt.Errorf("read checkpoint %s: format %d is unknown to this version, which reads %d; train again", path, c.meta.Format, checkpointFormat)
	}
	if err := c.meta.Config.Validate(); err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w: %w", path, npz.ErrDamaged, err)
	}
	return c, nil
}

// LoadVariable implements model.Loader.
func (c *checkpoint) LoadVariable(_ *model.Store, path string) (*tensors.Tensor, bool) {
	name := strings.TrimPrefix(path, "/")
	if values, shape, err := npz.Get[float32](c.file, name); err == nil {
		return tensors.FromFlatDataAndDimensions(values, shape...), true
	}
	if values, shape, err := npz.Get[int64](c.file, name); err == nil {
		return tensors.FromFlatDataAndDimensions(values, shape...), true
	}
	return nil, false
}

// DeleteVariable implements model.Loader: the values stay available.
func (c *checkpoint) DeleteVariable(*model.Store, string) error { return nil }

var _ model.Loader = (*checkpoint)(nil)

// complete refuses a checkpoint that lacks a variable the network has.
func (c *checkpoint) complete(m *Model) error {
	for v := range m.store.IterVariables() {
		if !c.file.Has(strings.TrimPrefix(v.Path(), "/")) {
			return fmt.Errorf("checkpoint %s: %w: weights %q are missing; train again", c.path, npz.ErrDamaged, v.Path())
		}
	}
	return nil
}

// Load reads a finished model from a run's folder, its checkpoint folder, or a model file.
func Load(backend compute.Backend, path string) (*Model, error) {
	file, err := modelPath(path)
	if err != nil {
		return nil, err
	}
	c, err := readCheckpoint(file)
	if err != nil {
		return nil, fmt.Errorf("%w; train again or restore the file", err)
	}
	d, n := c.meta.Domain, c.meta.Config.Network
	if features := n.channels(n.Levels); len(d.Low) != features || len(d.High) != features {
		return nil, fmt.Errorf("load model %s: %w: its training domain has %d and %d features, the network %d; it is of another version or not finished: train again",
			file, npz.ErrDamaged, len(d.Low), len(d.High), features)
	}
	m, err := newModel(backend, c.meta.Config, c, 0)
	if err != nil {
		return nil, fmt.Errorf("load model %s: %w: its weights do not fit the network it names: %w; train again or restore the file", file, npz.ErrDamaged, err)
	}
	if err := c.complete(m); err != nil {
		return nil, err
	}
	m.Domain, m.Origin = c.meta.Domain, c.meta.Origin
	return m, nil
}

func modelPath(path string) (string, error) {
	for _, candidate := range []string{path, filepath.Join(path, ModelFile), filepath.Join(path, "checkpoint", ModelFile)} {
		if info, err := os.Stat(candidate); err == nil && !info.IsDir() {
			return candidate, nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("load model: %w", err)
		}
	}
	return "", fmt.Errorf("load model: %s holds no %s; make one with `go run . reproduce` or `go run . train`, or name a run folder", path, ModelFile)
}
