/* kvm_engine.h: Linux's KVM as an engine, for guests of the host's own architecture. */
#ifndef PENG_CORE_ENGINE_KVM_ENGINE_H
#define PENG_CORE_ENGINE_KVM_ENGINE_H

#include "core/engine/engine.h"

extern const struct engine_ops kvm_engine;

#endif
