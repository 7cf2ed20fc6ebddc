package sswe

import (
	"encoding/binary"
	"math"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/renameio/v2"
	"google.golang.org/protobuf/encoding/protowire"

	"elastography/data"
	"elastography/data/npz"
)

// exportedToy trains a little, so that batch-norm statistics and biases are not at their start, and exports.
func exportedToy(t *testing.T, c Config) (*Model, []*data.Sample, []byte) {
	t.Helper()
	c.Training.Epochs = 2
	planes := toyPlanes(c, 4, "export")
	trainer := Trainer{Backend: backend, Config: c, Dir: t.TempDir(), Origin: Origin{Organ: "prostate", Scanners: []string{"endfire-a"}, Simulated: true}}
	m, _, err := trainer.Train(t.Context(), planes)
	if err != nil {
		t.Fatal(err)
	}
	file, err := ExportONNX(trainer.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return m, planes, file
}

// The exported file, run operation by operation in plain Go, answers what XLA answers: folding, the order of channels
// and padding are right.
func TestExportedNetworkAnswersAsXLADoes(t *testing.T) {
	odd := toy()
	odd.Grid.Height, odd.Grid.Width = odd.Grid.Height+1, odd.Grid.Width+3 // the poolings don't divide it
	plain := toy()
	plain.Network.Skips, plain.Network.BatchNorm = false, false
	for name, c := range map[string]Config{"preset": toy(), "odd size": odd, "no skips, no normalisation": plain} {
		t.Run(name, func(t *testing.T) {
			m, planes, file := exportedToy(t, c)
			want, err := m.Predict(planes)
			if err != nil {
				t.Fatal(err)
			}
			for k, s := range planes {
				got := runONNX(t, file, s)
				for i, v := range got {
					if math.Abs(v-float64(want[k].KPa[i])) > 1e-4*c.RangeKPa {
						t.Fatalf("%s pixel %d: ONNX %.5f kPa, XLA %.5f kPa", s.ID(), i, v, want[k].KPa[i])
					}
				}
			}
		})
	}
}

// ONNX Runtime, where a Python with it is at hand, is the judge that users will meet.
func TestExportedNetworkRunsInONNXRuntime(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import onnx, onnxruntime").Run()
	}
	if err != nil {
		t.Skipf("python3 with onnx and onnxruntime is not at hand (%v): the file was checked by plain Go only", err)
	}
	m, planes, file := exportedToy(t, toy())
	want, err := m.Predict(planes)
	if err != nil {
		t.Fatal(err)
	}
	dir, g := t.TempDir(), m.Config.Grid
	var image, kPa []float32
	for k, s := range planes {
		image, kPa = append(image, s.Image...), append(kPa, want[k].KPa...)
	}
	if err := npz.WriteFile(filepath.Join(dir, "planes.npz"), map[string]npz.Array{
		"image": npz.Of(image, len(planes), g.Height, g.Width, 1), "kpa": npz.Of(kPa, len(planes), g.Height, g.Width, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, "model.onnx"), file, 0o644); err != nil {
		t.Fatal(err)
	}
	const script = `import sys, numpy, onnx, onnxruntime
folder, limit = sys.argv[1], float(sys.argv[2])
onnx.checker.check_model(onnx.load(folder + "/model.onnx"), full_check=True)
planes = numpy.load(folder + "/planes.npz")
kpa, = onnxruntime.InferenceSession(folder + "/model.onnx").run(["stiffness_kpa"], {"bmode": planes["image"]})
worst = abs(kpa - planes["kpa"]).max()
assert worst <= limit, f"differs by {worst} kPa"
`
	if out, err := exec.Command(python, "-c", script, dir, number(1e-4*m.Config.RangeKPa)).CombinedOutput(); err != nil {
		t.Errorf("ONNX Runtime: %v\n%s", err, out)
	}
}

// volume is a [channels, height, width] array.
type volume struct {
	c, h, w int
	v       []float64
}

// onnxNode is an operation as the file describes it; weights are tensors by name.
type onnxNode struct {
	op         string
	in         []string
	out        string
	attributes map[string][]byte
}

// fields calls visit for each field of a protobuf message.
func fields(t *testing.T, b []byte, visit func(n protowire.Number, bytes []byte, varint uint64)) {
	t.Helper()
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		size := protowire.ConsumeFieldValue(number, kind, b)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		switch kind {
		case protowire.BytesType:
			v, _ := protowire.ConsumeBytes(b)
			visit(number, v, 0)
		case protowire.VarintType:
			v, _ := protowire.ConsumeVarint(b)
			visit(number, nil, v)
		case protowire.Fixed32Type:
			visit(number, b[:4], 0)
		}
		b = b[size:]
	}
}

// runONNX computes stiffness_kpa of one image, one operation after the other.
func runONNX(t *testing.T, file []byte, s *data.Sample) []float64 {
	t.Helper()
	var nodes []onnxNode
	weights := map[string][]float64{}
	fields(t, file, func(n protowire.Number, b []byte, _ uint64) {
		if n != 7 { // the graph
			return
		}
		fields(t, b, func(n protowire.Number, b []byte, _ uint64) {
			switch n {
			case 1:
				nodes = append(nodes, readNode(t, b))
			case 5:
				name, values := readTensor(t, b)
				weights[name] = values
			}
		})
	})
	image := volume{1, s.Grid.Height, s.Grid.Width, make([]float64, s.Grid.Pixels())}
	for i, v := range s.Image {
		image.v[i] = float64(v)
	}
	values := map[string]volume{ONNXImage: image}
	for _, n := range nodes {
		values[n.out] = apply(t, n, values, weights)
	}
	return values[ONNXStiffness].v
}

func readNode(t *testing.T, b []byte) onnxNode {
	n := onnxNode{attributes: map[string][]byte{}}
	fields(t, b, func(field protowire.Number, b []byte, _ uint64) {
		switch field {
		case 1:
			n.in = append(n.in, string(b))
		case 2:
			n.out = string(b)
		case 4:
			n.op = string(b)
		case 5:
			var name string
			fields(t, b, func(field protowire.Number, inner []byte, _ uint64) {
				switch field {
				case 1:
					name = string(inner)
				case 2:
					n.attributes[name] = inner
				}
			})
		}
	})
	return n
}

func readTensor(t *testing.T, b []byte) (name string, values []float64) {
	var raw []byte
	kind := uint64(0)
	fields(t, b, func(field protowire.Number, b []byte, v uint64) {
		switch field {
		case 2:
			kind = v
		case 8:
			name = string(b)
		case 9:
			raw = b
		}
	})
	if kind == 1 {
		for i := 0; i < len(raw); i += 4 {
			values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))))
		}
		return name, values
	}
	for i := 0; i < len(raw); i += 8 {
		values = append(values, float64(int64(binary.LittleEndian.Uint64(raw[i:]))))
	}
	return name, values
}

func apply(t *testing.T, n onnxNode, values map[string]volume, weights map[string][]float64) volume {
	x := values[n.in[0]]
	each := func(c, h, w int, f func(c, y, x int) float64) volume {
		out := volume{c, h, w, make([]float64, 0, c*h*w)}
		for k := range c {
			for y := range h {
				for x := range w {
					out.v = append(out.v, f(k, y, x))
				}
			}
		}
		return out
	}
	at := func(c, y, col int) float64 {
		if y < 0 || col < 0 || y >= x.h || col >= x.w {
			return 0
		}
		return x.v[(c*x.h+y)*x.w+col]
	}
	switch n.op {
	case "Reshape", "ReduceMean": // one channel in, the same numbers out; features are not compared here
		return x
	case "Pad":
		pads := weights[n.in[1]]
		return each(x.c, x.h+int(pads[6]), x.w+int(pads[7]), at)
	case "Slice":
		to := weights[n.in[2]]
		return each(x.c, int(to[0]), int(to[1]), at)
	case "MaxPool":
		return each(x.c, x.h/2, x.w/2, func(c, y, x int) float64 {
			return max(at(c, 2*y, 2*x), at(c, 2*y, 2*x+1), at(c, 2*y+1, 2*x), at(c, 2*y+1, 2*x+1))
		})
	case "Resize":
		return each(x.c, 2*x.h, 2*x.w, func(c, y, x int) float64 { return at(c, y/2, x/2) })
	case "Concat":
		b := values[n.in[1]]
		return volume{x.c + b.c, x.h, x.w, append(append([]float64{}, x.v...), b.v...)}
	case "Relu":
		return each(x.c, x.h, x.w, func(c, y, x int) float64 { return max(0, at(c, y, x)) })
	case "LeakyRelu":
		slope := float64(math.Float32frombits(binary.LittleEndian.Uint32(n.attributes["alpha"])))
		return each(x.c, x.h, x.w, func(c, y, x int) float64 { return max(at(c, y, x), slope*at(c, y, x)) })
	case "Conv":
		w, bias := weights[n.in[1]], weights[n.in[2]]
		side := int(math.Round(math.Sqrt(float64(len(w) / len(bias) / x.c))))
		return each(len(bias), x.h, x.w, func(o, y, col int) float64 {
			sum := bias[o]
			for c := range x.c {
				for dy := range side {
					for dx := range side {
						sum += w[((o*x.c+c)*side+dy)*side+dx] * at(c, y+dy-side/2, col+dx-side/2)
					}
				}
			}
			return sum
		})
	}
	t.Fatalf("operation %s is not known to this test", n.op)
	return volume{}
}
