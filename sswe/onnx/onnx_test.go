package onnx_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"elastography/sswe/onnx"
)

func small() *onnx.Graph {
	g := &onnx.Graph{Name: "small", Producer: "test", Metadata: []onnx.Property{{Key: "unit", Value: "kPa"}}}
	x := g.Input("x", onnx.Dim{Name: "batch"}, onnx.Dim{Size: 2})
	y := g.NamedNode("y", "Mul", []onnx.Value{x, g.Weights("w", []float32{1, 2}, 2)})
	g.Output(y, onnx.Dim{Name: "batch"}, onnx.Dim{Size: 2})
	return g
}

func TestTheSameGraphGivesTheSameBytes(t *testing.T) {
	if !bytes.Equal(small().Encode(), small().Encode()) {
		t.Error("two encodings of one graph differ")
	}
}

// The numbers of the fields are those of onnx.proto: a runtime reads nothing else.
func TestModelHoldsGraphOpsetAndMetadata(t *testing.T) {
	fields := map[protowire.Number][][]byte{}
	for b := small().Encode(); len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		size := protowire.ConsumeFieldValue(number, kind, b)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		if kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b)
			fields[number] = append(fields[number], v)
		}
		b = b[size:]
	}
	if got := fields[8]; len(got) != 1 || !bytes.Equal(got[0], []byte{0x10, 17}) {
		t.Errorf("operator set is %x, expected version 17 of the default domain", got)
	}
	if got := fields[14]; len(got) != 1 || string(got[0]) != "\n\x04unit\x12\x03kPa" {
		t.Errorf("metadata is %q", got)
	}
	if len(fields[7]) != 1 {
		t.Errorf("%d graphs in the file, expected 1", len(fields[7]))
	}
}
