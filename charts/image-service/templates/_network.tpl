{{- define "image-service.dnsRules" -}}
{{- range .Values.networkPolicy.dns }}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .namespace }}
      podSelector:
        matchLabels:
          {{- toYaml .podLabels | nindent 10 }}
    {{- with .nodeLocal }}
    # NodeLocal DNSCache, which listens on each node.
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    - { protocol: UDP, port: {{ .port }} }
    - { protocol: TCP, port: {{ .port }} }
{{- end }}
{{- end }}

{{- define "image-service.prometheus" -}}
{{- with .Values.networkPolicy.monitoringNamespace -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . }}
  podSelector:
    matchLabels:
      {{- toYaml $.Values.networkPolicy.monitoringPodLabels | nindent 6 }}
{{- end }}
{{- end }}

{{/* The origins of URLs, at any port, since a URL may name one: what the processor itself takes for public. */}}
{{- define "image-service.publicAddresses" -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          - 0.0.0.0/8 # "this network"
          - 10.0.0.0/8 # private, where most clusters are
          - 100.64.0.0/10 # carriers' shared space, where some clusters are
          - 127.0.0.0/8 # loopback
          - 169.254.0.0/16 # link-local, with the clouds' metadata at 169.254.169.254
          - 172.16.0.0/12 # private
          - 192.0.0.0/24 # IETF protocol assignments
          - 192.0.2.0/24 # documentation
          - 192.31.196.0/24 # AS112
          - 192.52.193.0/24 # AMT
          - 192.88.99.0/24 # 6to4 relays
          - 192.168.0.0/16 # private
          - 192.175.48.0/24 # AS112
          - 198.18.0.0/15 # benchmarking
          - 198.51.100.0/24 # documentation
          - 203.0.113.0/24 # documentation
          - 224.0.0.0/4 # multicast
          - 240.0.0.0/4 # reserved, broadcast
          - 168.63.129.16/32 # Azure's own, at an address that looks public
          {{- range .Values.networkPolicy.extraExcept }}
          {{- if not (contains ":" .) }}
          - {{ . }}
          {{- end }}
          {{- end }}
    # IANA has given out 2000::/3 of IPv6 and nothing else: the first three lines are the rest of ::/0.
    - ipBlock:
        cidr: ::/0
        except:
          - ::/3
          - 4000::/2
          - 8000::/1
          - 2001::/23 # IETF protocol assignments, Teredo
          - 2001:db8::/32 # documentation
          - 2002::/16 # 6to4
          - 2620:4f:8000::/48 # AS112
          - 3fff::/20 # documentation
          {{- range .Values.networkPolicy.extraExcept }}
          {{- if contains ":" . }}
          - {{ . }}
          {{- end }}
          {{- end }}
  ports:
    - { protocol: TCP }
{{- end }}
