// Package engine runs package archive's units of work on Apache Beam.
//
// A list of rows is cut into shard files on storage that all machines share;
// the pipeline's elements are the paths of shards, never rows and never pixels;
// each is done by DoShard, with a pool of its own. What a row comes to lies in
// its outputs and its record, so an element that Beam delivers twice, or again
// after a crash, computes only what is not there yet.
//
// It owns shards, the pipeline, its submission and the worker process. It never
// knows how a row is computed, and never starts a cluster (package flink does).
package engine
