{{/* Values that contradict each other. A schema sees one value; these need two. */}}
{{- define "image-service.checks" -}}
{{- range $name := list "api" "processor" }}
{{- $values := index $.Values $name }}
{{- $scaling := $values.autoscaling }}
{{- if and $scaling.enabled (not (kindIs "invalid" $values.replicas)) }}
{{- fail (printf "%s.replicas is %v and %s.autoscaling.enabled is true; allowed: one of them, because each upgrade would reset what the autoscaler chose" $name $values.replicas $name) }}
{{- end }}
{{- if and $scaling.enabled (ge (int $scaling.min) (int $scaling.max)) }}
{{- fail (printf "%s.autoscaling.min is %v; allowed: less than %s.autoscaling.max, which is %v" $name $scaling.min $name $scaling.max) }}
{{- end }}
{{- if and $scaling.enabled (not $scaling.cpu) (not $scaling.inFlight) }}
{{- fail (printf "%s.autoscaling measures nothing; set cpu, inFlight or both" $name) }}
{{- end }}
{{- end }}
{{- if and .Values.keda.enabled (not (or .Values.api.autoscaling.enabled .Values.processor.autoscaling.enabled)) }}
{{- fail "keda.enabled is true and scales nothing; set api.autoscaling.enabled, processor.autoscaling.enabled or both" }}
{{- end }}
{{- if and .Values.keda.enabled (not .Values.keda.prometheus) (or .Values.api.autoscaling.inFlight .Values.processor.autoscaling.inFlight) }}
{{- fail "keda.prometheus is empty; autoscaling.inFlight needs the URL of Prometheus, as http://prometheus-operated.monitoring.svc:9090" }}
{{- end }}
{{- with .Values.redis }}
{{- if and .url (or .enabled .existingSecret) }}
{{- fail "redis.url is set; allowed: only without redis.enabled and redis.existingSecret, which have URLs of their own" }}
{{- end }}
{{- if contains "@" .url }}
{{- fail "redis.url contains a password, which everyone who may read ConfigMaps would see; put the URL into the key url of a Secret, and name it in redis.existingSecret" }}
{{- end }}
{{- if and $.Values.networkPolicy.enabled (not .enabled) (or .url .existingSecret) (not $.Values.networkPolicy.redis.cidrs) }}
{{- fail "networkPolicy.redis.cidrs is empty; the processors need the address ranges of the Redis that redis.url or redis.existingSecret names, as [10.20.30.0/28]" }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts is empty; set the host names, as [images.example]" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs is empty; name the Gateway, as [{ name: public, namespace: gateway }]" }}
{{- end }}
{{- if and .Values.networkPolicy.defaultDeny (not .Values.networkPolicy.enabled) }}
{{- fail "networkPolicy.defaultDeny is true and networkPolicy.enabled is false; the services could not reach each other" }}
{{- end }}
{{- include "image-service.limits" . }}
{{- end }}

{{/* Limits of one service that the other's have to fit. */}}
{{- define "image-service.limits" -}}
{{- $api := .Values.api.env }}
{{- $processor := .Values.processor.env }}
{{- $request := include "image-service.number" (list $api "REQUEST_TIMEOUT_MS" 30000) | int64 }}
{{- $upload := include "image-service.number" (list $api "MAX_UPLOAD_BYTES" 33554432) | int64 }}
{{- $source := include "image-service.number" (list $processor "MAX_SOURCE_BYTES" 33554432) | int64 }}
{{- if gt $upload $source }}
{{- fail (printf "api.env.MAX_UPLOAD_BYTES is %d; allowed: at most processor.env.MAX_SOURCE_BYTES, which is %d" $upload $source) }}
{{- end }}
{{- $most := include "image-service.number" (list $api "MAX_ANSWER_BYTES" 268435456) | int64 }}
{{- $mostOfProcessor := include "image-service.number" (list $processor "MAX_ANSWER_BYTES" 268435456) | int64 }}
{{- if gt $most $mostOfProcessor }}
{{- fail (printf "api.env.MAX_ANSWER_BYTES is %d; allowed: at most processor.env.MAX_ANSWER_BYTES, which is %d" $most $mostOfProcessor) }}
{{- end }}
{{- range $name := list "api" "processor" }}
{{- $timeout := include "image-service.number" (list (index $.Values $name).env "SHUTDOWN_TIMEOUT_MS" 20000) | int64 }}
{{- if le $timeout $request }}
{{- fail (printf "%s.env.SHUTDOWN_TIMEOUT_MS is %d; allowed: more than api.env.REQUEST_TIMEOUT_MS, which is %d, or a rollout cuts the longest requests" $name $timeout $request) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Bytes of a quantity such as 2Gi; 0 of one that is not read here. */}}
{{- define "image-service.bytes" -}}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- $text := toString . -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- $number := trimSuffix $unit $text -}}
{{- if and (hasKey $factors $unit) (regexMatch "^[0-9.]+$" $number) }}{{ mulf (float64 $number) (index $factors $unit) | int64 }}{{ else }}0{{ end -}}
{{- end }}

{{/* Warnings about memory: the sums of docs/kubernetes.md, "Values that depend on each other". */}}
{{- define "image-service.memoryNotes" -}}
{{- $env := .Values.processor.env }}
{{- $memory := dig "limits" "memory" "" .Values.processor.resources }}
{{- if and $memory $env.WORKERS $env.MAX_WORK_BYTES $env.MAX_HELD_BYTES }}
{{- $workers := include "image-service.number" (list $env "WORKERS" 1) | int64 }}
{{- $downloads := mul (include "image-service.number" (list $env "MAX_DOWNLOADS" 32) | int64) (include "image-service.number" (list $env "MAX_SOURCE_BYTES" 33554432) | int64) }}
{{- $cache := include "image-service.number" (list $env "CACHE_MAX_BYTES" 268435456) | int64 }}
{{- $documents := mul (include "image-service.number" (list $env "DOCUMENT_WORKERS" 2) | int64) 384217728 }}
{{- $sum := add 150000000 (mul (add $workers 1) 250000000) $documents $cache (int64 $env.MAX_HELD_BYTES) $downloads (int64 $env.MAX_WORK_BYTES) }}
{{- if gt $sum (include "image-service.bytes" $memory | int64) }}

WARNING: processor.env lets a pod take {{ div $sum 1048576 }}Mi, and processor.resources.limits.memory is {{ $memory }}.
docs/capacity.md has values that fit.
{{- end }}
{{- end }}
{{- $limit := dig "limits" "memory" "" .Values.api.resources }}
{{- with .Values.api.env.MAX_HELD_BYTES }}
{{- $sum := add 250000000 (int64 .) }}
{{- if and $limit (gt $sum (include "image-service.bytes" $limit | int64)) }}

WARNING: api.env.MAX_HELD_BYTES lets a pod take {{ div $sum 1048576 }}Mi, and api.resources.limits.memory is {{ $limit }}.
{{- end }}
{{- end }}
{{- end }}
