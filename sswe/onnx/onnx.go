// Package onnx writes neural networks as ONNX files (https://onnx.ai, opset 17), so that a model trained here runs in any
// runtime that reads them.
//
// It owns the file format and nothing else: it knows no network, no weights' names and no ultrasound. It never reads
// ONNX. Public Go packages for ONNX need a native runtime or keep the format to themselves; the format itself is small.
package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Versions that every runtime since 2022 reads.
const (
	irVersion    = 8
	opsetVersion = 17
)

// Graph collects a network's nodes in the order of computation. Its zero value is an empty graph.
type Graph struct {
	Name     string
	Producer string
	Doc      string
	Metadata []Property // in this order in the file

	nodes, weights, inputs, outputs [][]byte
	values                          int // names given so far
}

// Property is one line of a model's metadata.
type Property struct{ Key, Value string }

// Value names the result of a node, an input or a tensor of weights.
type Value string

// Dim is one dimension of an input or output: a size or, where Size is 0, a free size of that name.
type Dim struct {
	Size int
	Name string
}

// Input declares an input of 32-bit floats.
func (g *Graph) Input(name string, shape ...Dim) Value {
	g.inputs = append(g.inputs, valueInfo(name, shape))
	return Value(name)
}

// Output declares v, under the name that the node which makes it gave it, as an output of 32-bit floats.
func (g *Graph) Output(v Value, shape ...Dim) {
	g.outputs = append(g.outputs, valueInfo(string(v), shape))
}

// Weights stores a tensor of 32-bit floats. The number of values must be the product of the dimensions.
func (g *Graph) Weights(name string, values []float32, dims ...int) Value {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return g.tensor(name, typeFloat, raw, dims)
}

// Integers stores a list of integers, such as a shape.
func (g *Graph) Integers(name string, values ...int64) Value {
	raw := make([]byte, 0, 8*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return g.tensor(name, typeInt64, raw, []int{len(values)})
}

// Numbers of ONNX's TensorProto.DataType.
const (
	typeFloat = 1
	typeInt64 = 7
)

func (g *Graph) tensor(name string, kind uint64, raw []byte, dims []int) Value {
	var b []byte
	for _, d := range dims {
		b = appendInt(b, 1, uint64(d))
	}
	b = appendInt(b, 2, kind)
	b = appendBytes(b, 8, []byte(name))
	b = appendBytes(b, 9, raw)
	g.weights = append(g.weights, b)
	return Value(name)
}

// Attribute is a named constant of a node.
type Attribute struct {
	Name  string
	Value any // float64, int, []int or string
}

// Node appends an operation and returns its first result. An empty Value leaves an optional input out.
func (g *Graph) Node(op string, inputs []Value, attributes ...Attribute) Value {
	g.values++
	return g.NamedNode(fmt.Sprintf("%s_%d", op, g.values), op, inputs, attributes...)
}

// NamedNode is Node with a name for the result, as an output needs.
func (g *Graph) NamedNode(result, op string, inputs []Value, attributes ...Attribute) Value {
	var b []byte
	for _, in := range inputs {
		b = appendBytes(b, 1, []byte(in))
	}
	b = appendBytes(b, 2, []byte(result))
	b = appendBytes(b, 3, []byte(result))
	b = appendBytes(b, 4, []byte(op))
	for _, a := range attributes {
		b = appendBytes(b, 5, a.encode())
	}
	g.nodes = append(g.nodes, b)
	return Value(result)
}

// Numbers of ONNX's AttributeProto.AttributeType.
const (
	attributeFloat  = 1
	attributeInt    = 2
	attributeString = 3
	attributeInts   = 7
)

func (a Attribute) encode() []byte {
	b := appendBytes(nil, 1, []byte(a.Name))
	switch v := a.Value.(type) {
	case float64:
		b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
		b = protowire.AppendFixed32(b, math.Float32bits(float32(v)))
		return appendInt(b, 20, attributeFloat)
	case int:
		b = appendInt(b, 3, uint64(v))
		return appendInt(b, 20, attributeInt)
	case string:
		b = appendBytes(b, 4, []byte(v))
		return appendInt(b, 20, attributeString)
	case []int:
		for _, i := range v {
			b = appendInt(b, 8, uint64(i))
		}
		return appendInt(b, 20, attributeInts)
	}
	panic(fmt.Sprintf("onnx: attribute %s has type %T", a.Name, a.Value)) // a programming error, like a bad graph
}

// Encode returns the file's content. The same graph gives the same bytes.
func (g *Graph) Encode() []byte {
	var graph []byte
	for _, n := range g.nodes {
		graph = appendBytes(graph, 1, n)
	}
	graph = appendBytes(graph, 2, []byte(g.Name))
	for _, w := range g.weights {
		graph = appendBytes(graph, 5, w)
	}
	graph = appendBytes(graph, 10, []byte(g.Doc))
	for _, in := range g.inputs {
		graph = appendBytes(graph, 11, in)
	}
	for _, out := range g.outputs {
		graph = appendBytes(graph, 12, out)
	}
	b := appendInt(nil, 1, irVersion)
	b = appendBytes(b, 2, []byte(g.Producer))
	b = appendBytes(b, 6, []byte(g.Doc))
	b = appendBytes(b, 7, graph)
	b = appendBytes(b, 8, appendInt(nil, 2, opsetVersion))
	for _, p := range g.Metadata {
		b = appendBytes(b, 14, appendBytes(appendBytes(nil, 1, []byte(p.Key)), 2, []byte(p.Value)))
	}
	return b
}

func valueInfo(name string, shape []Dim) []byte {
	var dims []byte
	for _, d := range shape {
		if d.Size > 0 {
			dims = appendBytes(dims, 1, appendInt(nil, 1, uint64(d.Size)))
		} else {
			dims = appendBytes(dims, 1, appendBytes(nil, 2, []byte(d.Name)))
		}
	}
	tensor := appendBytes(appendInt(nil, 1, typeFloat), 2, dims)
	return appendBytes(appendBytes(nil, 1, []byte(name)), 2, appendBytes(nil, 1, tensor))
}

func appendInt(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}
